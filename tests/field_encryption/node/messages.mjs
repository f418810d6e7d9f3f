// Encrypts and decrypts with AWS's own client for JavaScript, so that somebody else reads and writes the format.
// Reads one line of JSON: {folder, key, tenant, wrapped, dataKey, encrypt: [text…], decrypt: [base64…]}.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const line = await new Promise((done) => createInterface({ input: process.stdin }).once("line", done));
const asked = JSON.parse(line);
const require = createRequire(`${asked.folder}/`);
const { buildClient, CommitmentPolicy, KmsKeyringNode, AlgorithmSuiteIdentifier } = require("@aws-crypto/client-node");
const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const context = { tenant: asked.tenant };

// KMS as far as a keyring asks it: one data key, wrapped in one way, in the tenant's context alone.
const kms = {
  check(request) {
    if (JSON.stringify(request.EncryptionContext) !== JSON.stringify(context)) throw new Error("another context");
  },
  async generateDataKey(request) {
    this.check(request);
    return { Plaintext: bytes(asked.dataKey), CiphertextBlob: bytes(asked.wrapped), KeyId: asked.key };
  },
  async decrypt(request) {
    this.check(request);
    if (Buffer.compare(Buffer.from(request.CiphertextBlob), Buffer.from(bytes(asked.wrapped)))) throw new Error("another data key");
    return { Plaintext: bytes(asked.dataKey), KeyId: asked.key };
  },
};
const keyring = new KmsKeyringNode({ generatorKeyId: asked.key, clientProvider: () => kms });
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
const encrypted = [];
for (const text of asked.encrypt) {
  const { result } = await encrypt(keyring, Buffer.from(text), { encryptionContext: context, suiteId });
  encrypted.push(result.toString("base64"));
}
const decrypted = [];
for (const message of asked.decrypt) {
  const { plaintext } = await decrypt(keyring, Buffer.from(message, "base64"));
  decrypted.push(plaintext.toString());
}
process.stdout.write(JSON.stringify({ encrypted, decrypted }) + "\n");

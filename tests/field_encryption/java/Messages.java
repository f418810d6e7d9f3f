// Encrypts and decrypts with AWS's own client for Java, so that somebody else reads and writes the format.
// Reads lines: key, tenant, wrapped data key, data key, then "encrypt VALUE" or "decrypt MESSAGE"; bytes are Base64.
// Writes a line for each of those: what came of it.
import com.amazonaws.encryptionsdk.AwsCrypto;
import com.amazonaws.encryptionsdk.CommitmentPolicy;
import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.kmssdkv2.KmsMasterKeyProvider;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.DecryptRequest;
import software.amazon.awssdk.services.kms.model.DecryptResponse;
import software.amazon.awssdk.services.kms.model.GenerateDataKeyRequest;
import software.amazon.awssdk.services.kms.model.GenerateDataKeyResponse;

public class Messages {
  // KMS as far as a client asks it: one data key, wrapped in one way, in the tenant's context alone.
  record Kms(String key, Map<String, String> context, byte[] wrapped, byte[] dataKey) implements KmsClient {
    private void check(Map<String, String> asked) {
      if (!asked.equals(context)) throw new IllegalStateException("another context: " + asked);
    }

    @Override
    public GenerateDataKeyResponse generateDataKey(GenerateDataKeyRequest asked) {
      check(asked.encryptionContext());
      return GenerateDataKeyResponse.builder().keyId(key).plaintext(SdkBytes.fromByteArray(dataKey))
          .ciphertextBlob(SdkBytes.fromByteArray(wrapped)).build();
    }

    @Override
    public DecryptResponse decrypt(DecryptRequest asked) {
      check(asked.encryptionContext());
      if (!Arrays.equals(asked.ciphertextBlob().asByteArray(), wrapped)) throw new IllegalStateException("another data key");
      return DecryptResponse.builder().keyId(key).plaintext(SdkBytes.fromByteArray(dataKey)).build();
    }

    @Override
    public String serviceName() {
      return "kms";
    }

    @Override
    public void close() {}
  }

  public static void main(String[] none) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String key = lines.readLine();
    Map<String, String> context = Map.of("tenant", lines.readLine());
    byte[] wrapped = Base64.getDecoder().decode(lines.readLine());
    var kms = new Kms(key, context, wrapped, Base64.getDecoder().decode(lines.readLine()));
    var keys = KmsMasterKeyProvider.builder().customRegionalClientSupplier(region -> kms).buildStrict(key);
    var crypto = AwsCrypto.builder().withCommitmentPolicy(CommitmentPolicy.RequireEncryptRequireDecrypt)
        .withEncryptionAlgorithm(CryptoAlgorithm.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY).build();
    for (String line; (line = lines.readLine()) != null; ) {
      byte[] given = Base64.getDecoder().decode(line.substring(line.indexOf(' ') + 1));
      byte[] made = line.startsWith("encrypt ")
          ? crypto.encryptData(keys, given, context).getResult()
          : crypto.decryptData(keys, given).getResult();
      System.out.println(Base64.getEncoder().encodeToString(made));
    }
  }
}

"""Rules on rotation: keys, passwords and certificates change in time, and can be recovered after deletion."""

from typing import Final

from policies.checks import all_of, at_least, between, companion, in_prod, is_true, one_of, when
from policies.control_ids import CREDENTIALS, DELETION, KEYS
from policies.rule import Made, Ref, Rule, Severity
from policies.rules.example_builders import KEY, example

KEY_TYPE: Final = "aws:kms/key:Key"
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"
MOST_DAYS: Final = 90  # that a key or a password is in use; also the least that KMS can do (KMS, 2026-11)
# Only these keys can rotate by themselves (KMS developer guide, "Rotate AWS KMS keys", 2026-11).
_SYMMETRIC: Final = all_of(
    one_of("keyUsage", "ENCRYPT_DECRYPT", default="ENCRYPT_DECRYPT"),
    one_of("customerMasterKeySpec", "SYMMETRIC_DEFAULT", default="SYMMETRIC_DEFAULT"),
)
_PASSWORDS: Final = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"

RULES: Final = (
    Rule(
        id="key-rotates",
        title=f"Keys rotate at least every {MOST_DAYS} days",
        types=(KEY_TYPE,),
        check=when(
            _SYMMETRIC,
            all_of(is_true("enableKeyRotation"), between("rotationPeriodInDays", 90, MOST_DAYS, default=365)),
        ),
        remedy="Set `enableKeyRotation` and `rotationPeriodInDays` to 90, which is the least that KMS does.",
        controls=KEYS,
        good=example(KEY_TYPE, KEY.inputs),
        bad=example(KEY_TYPE, {**KEY.inputs, "rotationPeriodInDays": 365}),
    ),
    Rule(
        id="key-waits-before-deletion",
        title="A key that is deleted can be recovered for 30 days in prod",
        types=(KEY_TYPE,),
        check=in_prod(at_least("deletionWindowInDays", 30, default=30)),
        remedy="Set `deletionWindowInDays` to 30.",
        controls=DELETION,
        good=example(KEY_TYPE, KEY.inputs),
        bad=example(KEY_TYPE, {**KEY.inputs, "deletionWindowInDays": 7}),
    ),
    Rule(
        id="secret-rotation-in-time",
        title=f"Secrets that rotate do so at least every {MOST_DAYS} days",
        types=(ROTATION,),
        check=between("rotationRules.automaticallyAfterDays", 1, MOST_DAYS),
        remedy=f"Set `rotationRules.automaticallyAfterDays` to at most {MOST_DAYS}.",
        controls=CREDENTIALS,
        good=example(ROTATION, {"secretId": "example", "rotationRules": {"automaticallyAfterDays": 30}}),
        bad=example(ROTATION, {"secretId": "example", "rotationRules": {"automaticallyAfterDays": 365}}),
    ),
    Rule(
        id="secret-rotates",
        title="Every secret rotates by itself",
        types=(SECRET,),
        check=companion(ROTATION, "secretId"),
        remedy="Give it a SecretRotation, or say in the exceptions who changes it and when.",
        controls=CREDENTIALS,
        severity=Severity.ADVISORY,
        whole_plan=True,
        good=example(
            SECRET,
            {"description": "Of an example"},
            after=(
                Made(
                    ROTATION,
                    "rotation",
                    {"secretId": Ref("it", "id"), "rotationRules": {"automaticallyAfterDays": 30}},
                ),
            ),
        ),
        bad=example(SECRET, {"description": "Of an example"}),
    ),
    Rule(
        id="secret-recoverable",
        title="A secret that is deleted can be recovered for 7 days or more in prod",
        types=(SECRET,),
        check=in_prod(at_least("recoveryWindowInDays", 7, default=30)),
        remedy="Leave `recoveryWindowInDays` at 30.",
        controls=DELETION,
        good=example(SECRET, {"description": "Of an example", "recoveryWindowInDays": 30}),
        bad=example(SECRET, {"description": "Of an example", "recoveryWindowInDays": 0}),
    ),
    Rule(
        id="sign-in-passwords",
        title=f"Passwords of the account have 14 characters or more and last {MOST_DAYS} days at most",
        types=(_PASSWORDS,),
        check=all_of(
            at_least("minimumPasswordLength", 14, default=6), between("maxPasswordAge", 1, MOST_DAYS)
        ),
        remedy="Set `minimumPasswordLength` and `maxPasswordAge` of the account's password policy.",
        controls=(*CREDENTIALS, "PCI:8.3.6"),
        good=example(_PASSWORDS, {"minimumPasswordLength": 16, "maxPasswordAge": 90}),
        bad=example(_PASSWORDS, {"minimumPasswordLength": 8, "maxPasswordAge": 90}),
    ),
)

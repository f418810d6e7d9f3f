"""What the tests of the network and of the account stand on."""

from components.common.context import CellContext
from plan.names import Names
from plan.settings import Settings

BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
LOGS_KEY = "arn:aws:kms:eu-west-1:111122223333:key/logs"
ALARMS = "arn:aws:sns:eu-west-1:111122223333:alarms"


def names_of(settings: Settings) -> Names:
    return Names(settings.stack, settings.account_id)


def shared_of(settings: Settings) -> CellContext:
    return CellContext(
        settings=settings,
        names=names_of(settings),
        boundary_arn=BOUNDARY,
        logs_key_arn=LOGS_KEY,
        access_logs_bucket="access-logs",
        alarms_topic_arn=ALARMS,
        alarms_key_arn="arn:aws:kms:eu-west-1:111122223333:key/alarms",
    )

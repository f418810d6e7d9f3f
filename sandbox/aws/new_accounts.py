"""What is in an account before the first stack, by the profile of its cloud.

Source: accounts made since December 2013 have a default VPC in each Region, with its internet gateway (Amazon
VPC user guide, "Default VPCs", 2026-11). Assumed (`what-is-in-every-account`): that AWS has given every
account the roles of Support and Trusted Advisor, and that whoever used an account before has switched
Config and GuardDuty on.
"""

from typing import Final

from sandbox.aws.made_by_aws import make_by_aws
from sandbox.aws.member_accounts import DETECTOR
from sandbox.cloud.profile import Profile
from sandbox.cloud.store import Store

VPC, GATEWAY = "aws:ec2/vpc:Vpc", "aws:ec2/internetGateway:InternetGateway"
LINKED_ROLE: Final = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
BUCKET: Final = "aws:s3/bucket:Bucket"
RECORDER, CHANNEL = "aws:cfg/recorder:Recorder", "aws:cfg/deliveryChannel:DeliveryChannel"
DEFAULT_NETWORK: Final = "172.31.0.0/16"
SERVICES: Final = ("support.amazonaws.com", "trustedadvisor.amazonaws.com")
CONFIG: Final = "config.amazonaws.com"


def furnish(store: Store) -> None:
    """Put into an account and Region what its cloud's profile says, when it is opened for the first time."""
    if store.profile is Profile.RAISED or not store.account:
        return
    with store.change():
        if store.open_account():
            _furnish_new(store)
            if store.profile is Profile.USED:
                _furnish_used(store)


def _furnish_new(store: Store) -> None:
    network = make_by_aws(VPC, store, cidrBlock=DEFAULT_NETWORK, enableDnsHostnames=True)
    make_by_aws(GATEWAY, store, vpcId=network)
    for service in SERVICES:
        make_by_aws(LINKED_ROLE, store, awsServiceName=service)


def _furnish_used(store: Store) -> None:
    make_by_aws(LINKED_ROLE, store, awsServiceName=CONFIG)
    bucket = f"config-bucket-{store.account}-{store.region}"
    make_by_aws(BUCKET, store, bucket=bucket)
    make_by_aws(RECORDER, store, name="default")
    make_by_aws(CHANNEL, store, name="default", s3BucketName=bucket)
    make_by_aws(DETECTOR, store, enable=True)

"""Rules on exposure: only the API answers the internet, and nothing is shared by accident."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, Final

from policies.checks import all_of, companion, is_false, is_true, listed, one_of
from policies.control_ids import NETWORK
from policies.model import PASS, UNKNOWN, Plan, Resource, Verdict, cannot_tell, fail, worst
from policies.rule import Made, Ref, Rule
from policies.rules.example_builders import BUCKET, BUCKET_TYPE, example
from policies.rules.firewall import WIDE

INSTANCE: Final = "aws:rds/instance:Instance"
BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT_BLOCK: Final = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_DESTINATIONS: Final = ("destinationCidrBlock", "destinationIpv6CidrBlock", "cidrBlock", "ipv6CidrBlock")
_FOUR: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_BLOCKED: Final[Mapping[str, Any]] = dict.fromkeys(_FOUR, True)
_ALL_FOUR: Final = all_of(*map(is_true, _FOUR))
# Where an account says that its things are not shared with everybody: type → (input, right values).
SHARING: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess": ("state", ("block-all-sharing",)),
    "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess": ("state", ("block-new-sharing",)),
    "aws:ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions": (
        "internetGatewayBlockMode",
        ("block-ingress", "block-bidirectional"),
    ),
}
# Stores with an input that gives them an address of the internet; false where it is missing.
PUBLIC: Final = (
    INSTANCE,
    *("aws:rds/clusterInstance:ClusterInstance", "aws:redshift/cluster:Cluster", "aws:mq/broker:Broker"),
    *("aws:neptune/clusterInstance:ClusterInstance", "aws:dms/replicationInstance:ReplicationInstance"),
)


def _sharing(resource: Resource, plan: Plan) -> Verdict:
    path, right = SHARING[resource.type]
    return one_of(path, *right)(resource, plan)


def _data_subnets(group: Resource, plan: Plan) -> Verdict:
    """No subnet of a database has a route to everywhere, by a gateway or by NAT."""
    subnets = plan.source(group, "subnetIds", "aws:ec2/subnet:Subnet") or [
        s for i in listed(group.get("subnetIds", ())) for s in plan.named(i, "aws:ec2/subnet:Subnet")
    ]
    if not subnets:
        return cannot_tell("subnetIds names no subnet of this plan")
    return worst(_subnet_closed(subnet, plan) for subnet in subnets)


def _subnet_closed(subnet: Resource, plan: Plan) -> Verdict:
    association = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    associations, more = plan.attached(subnet, association, "subnetId")
    tables = [
        t for a in associations for t in plan.source(a, "routeTableId", "aws:ec2/routeTable:RouteTable")
    ]
    if not tables or len(tables) < len(associations):
        return cannot_tell(
            f"the routes of {subnet.name}"
            if more or associations
            else f"{subnet.name} has its network's routes"
        )
    return worst(_route_to_internet(way, subnet) for table in tables for way in _routes(table, plan))


def _routes(table: Resource, plan: Plan) -> Iterator[tuple[str, object]]:
    """Where routes of a table come from, and where they lead."""
    routes, more = plan.attached(table, "aws:ec2/route:Route", "routeTableId")
    inline = table.get("routes", ())
    if more or inline is UNKNOWN:
        yield f"routes of {table.name}", UNKNOWN
        return
    given = [(f"route {r.name}", r.inputs) for r in routes]
    for place, route in (*given, *((f"a route of {table.name}", r) for r in listed(inline))):
        for path in _DESTINATIONS:
            if path in route:
                yield place, route[path]


def _route_to_internet(way: tuple[str, object], subnet: Resource) -> Verdict:
    place, to = way
    if to is UNKNOWN:
        return cannot_tell(f"where {place} leads is not known before the update")
    wide = bool(to) and ip_network(str(to), strict=False).prefixlen < WIDE
    return fail(f"subnet {subnet.name} has a way to everywhere, {place} to {to}") if wide else PASS


_FUNCTION_URL: Final = "aws:lambda/functionUrl:FunctionUrl"
_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_SERVICE: Final = "aws:ecs/service:Service"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_HOST: Final = "aws:ec2/instance:Instance"
_IMAGE: Final = {"ami": "ami-0123456789abcdef0", "instanceType": "t4g.small"}
_GROUP: Final = "aws:rds/subnetGroup:SubnetGroup"
_VPC: Final = Made("aws:ec2/vpc:Vpc", "vpc", {"cidrBlock": "10.0.0.0/16"})
_TABLE: Final = Made("aws:ec2/routeTable:RouteTable", "table", {"vpcId": Ref("vpc", "id")})
_TWO: Final = tuple(
    Made(_SUBNET, f"subnet-{z}", {"vpcId": Ref("vpc", "id"), "cidrBlock": f"10.0.{i}.0/24"})
    for i, z in enumerate("ab")
)
_ASSOCIATED: Final = tuple(
    Made(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        f"association-{z}",
        {"subnetId": Ref(f"subnet-{z}", "id"), "routeTableId": Ref("table", "id")},
    )
    for z in "ab"
)
_GATEWAY: Final = Made("aws:ec2/internetGateway:InternetGateway", "gateway", {"vpcId": Ref("vpc", "id")})
_ROUTE: Final = Made(
    "aws:ec2/route:Route",
    "route",
    {
        "routeTableId": Ref("table", "id"),
        "destinationCidrBlock": "0.0.0.0/0",
        "gatewayId": Ref("gateway", "id"),
    },
)
_GROUP_INPUTS: Final = {"subnetIds": [Ref("subnet-a", "id"), Ref("subnet-b", "id")]}
_SERVICE_INPUTS: Final = {"cluster": "example", "taskDefinition": "example:1", "launchType": "FARGATE"}

RULES: Final = (
    Rule(
        id="database-not-public",
        title="Databases have no public address",
        types=PUBLIC,
        check=is_false("publiclyAccessible"),
        remedy="Set `publiclyAccessible` to false.",
        controls=NETWORK,
        good=example(INSTANCE, {"instanceClass": "db.t4g.medium", "publiclyAccessible": False}),
        bad=example(INSTANCE, {"instanceClass": "db.t4g.medium", "publiclyAccessible": True}),
    ),
    Rule(
        id="database-subnets-closed",
        title="Databases are in subnets without a route to or from the internet",
        types=(_GROUP,),
        check=_data_subnets,
        remedy="Put databases into subnets whose route table has no default route.",
        controls=NETWORK,
        whole_plan=True,
        good=example(_GROUP, _GROUP_INPUTS, _VPC, _TABLE, *_TWO, after=_ASSOCIATED),
        bad=example(_GROUP, _GROUP_INPUTS, _VPC, _TABLE, _GATEWAY, _ROUTE, *_TWO, after=_ASSOCIATED),
    ),
    Rule(
        id="bucket-access-blocked",
        title="A bucket's public access block has all four settings on",
        types=(BLOCK,),
        check=_ALL_FOUR,
        remedy="Set all four switches of the block to true.",
        controls=NETWORK,
        good=example(BLOCK, {"bucket": Ref("bucket", "id"), **_BLOCKED}, BUCKET),
        bad=example(BLOCK, {"bucket": Ref("bucket", "id"), **_BLOCKED, "blockPublicPolicy": False}, BUCKET),
    ),
    Rule(
        id="bucket-has-access-block",
        title="Every bucket has a public access block of its own",
        types=(BUCKET_TYPE,),
        check=companion(BLOCK, "bucket"),
        remedy="Give the bucket a BucketPublicAccessBlock (components.common.bucket.SecureBucket does).",
        controls=NETWORK,
        whole_plan=True,
        good=example(
            BUCKET_TYPE, BUCKET.inputs, after=(Made(BLOCK, "block", {"bucket": Ref("it", "id"), **_BLOCKED}),)
        ),
        bad=example(BUCKET_TYPE, BUCKET.inputs),
    ),
    Rule(
        id="account-access-blocked",
        title="No bucket of the account can be made public, whoever creates it",
        types=(ACCOUNT_BLOCK,),
        check=_ALL_FOUR,
        remedy="Set all four switches of the account's block to true.",
        controls=NETWORK,
        good=example(ACCOUNT_BLOCK, _BLOCKED),
        bad=example(ACCOUNT_BLOCK, {**_BLOCKED, "restrictPublicBuckets": False}),
    ),
    Rule(
        id="account-sharing-blocked",
        title="Snapshots, images and networks of the account cannot be opened to everybody",
        types=tuple(SHARING),
        check=_sharing,
        remedy="Leave the account's blocks on (components.account.defaults).",
        controls=NETWORK,
        good=example(next(iter(SHARING)), {"state": "block-all-sharing"}),
        bad=example(next(iter(SHARING)), {"state": "unblocked"}),
    ),
    Rule(
        id="bucket-without-acl",
        title="Access to buckets is by policy alone, and never by ACL",
        types=(OWNERSHIP,),
        check=one_of("rule.objectOwnership", "BucketOwnerEnforced"),
        remedy="Set `rule.objectOwnership` to BucketOwnerEnforced.",
        controls=NETWORK,
        good=example(
            OWNERSHIP,
            {"bucket": Ref("bucket", "id"), "rule": {"objectOwnership": "BucketOwnerEnforced"}},
            BUCKET,
        ),
        bad=example(
            OWNERSHIP, {"bucket": Ref("bucket", "id"), "rule": {"objectOwnership": "ObjectWriter"}}, BUCKET
        ),
    ),
    Rule(
        id="balancer-internal",
        title="Load balancers are internal; the API is the only entry from the internet",
        types=(_BALANCER,),
        check=is_true("internal"),
        remedy="Set `internal` to true and let the API reach it by a VPC link.",
        controls=NETWORK,
        good=example(_BALANCER, {"internal": True, "subnets": ["subnet-1", "subnet-2"]}),
        bad=example(_BALANCER, {"internal": False, "subnets": ["subnet-1", "subnet-2"]}),
    ),
    Rule(
        id="task-not-public",
        title="Tasks have no public address",
        types=(_SERVICE,),
        check=is_false("networkConfiguration.assignPublicIp"),
        remedy="Set `networkConfiguration.assignPublicIp` to false.",
        controls=NETWORK,
        good=example(
            _SERVICE,
            {**_SERVICE_INPUTS, "networkConfiguration": {"assignPublicIp": False, "subnets": ["subnet-1"]}},
        ),
        bad=example(
            _SERVICE,
            {**_SERVICE_INPUTS, "networkConfiguration": {"assignPublicIp": True, "subnets": ["subnet-1"]}},
        ),
    ),
    Rule(
        id="subnet-gives-no-public-address",
        title="No subnet assigns public addresses by default",
        types=(_SUBNET,),
        check=is_false("mapPublicIpOnLaunch"),
        remedy="Set `mapPublicIpOnLaunch` to false; NAT gateways have addresses of their own.",
        controls=NETWORK,
        good=example(
            _SUBNET,
            {"vpcId": Ref("vpc", "id"), "cidrBlock": "10.0.1.0/24", "mapPublicIpOnLaunch": False},
            _VPC,
        ),
        bad=example(
            _SUBNET,
            {"vpcId": Ref("vpc", "id"), "cidrBlock": "10.0.1.0/24", "mapPublicIpOnLaunch": True},
            _VPC,
        ),
    ),
    Rule(
        id="host-not-public",
        title="Hosts have no public address",
        types=(_HOST,),
        check=is_false("associatePublicIpAddress"),
        remedy="Set `associatePublicIpAddress` to false.",
        controls=NETWORK,
        good=example(_HOST, {**_IMAGE, "associatePublicIpAddress": False}),
        bad=example(_HOST, {**_IMAGE, "associatePublicIpAddress": True}),
    ),
    Rule(
        id="function-url-authorised",
        title="No function answers the internet without authorisation",
        types=(_FUNCTION_URL,),
        check=one_of("authorizationType", "AWS_IAM"),
        remedy="Set `authorizationType` to AWS_IAM, or let the API call the function.",
        controls=NETWORK,
        good=example(_FUNCTION_URL, {"functionName": "example", "authorizationType": "AWS_IAM"}),
        bad=example(_FUNCTION_URL, {"functionName": "example", "authorizationType": "NONE"}),
    ),
)

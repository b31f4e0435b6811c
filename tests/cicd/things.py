"""What stands in an account, by the ARNs that AWS and our templates give it: of development, and of production."""

from __future__ import annotations

from tests.cicd.policies import REGIONAL, ROLES, own_role

ACCOUNT = REGIONAL.partition(":")[2]
ENVIRONMENTS = {  # app stacks with the type of their environment
    "development": {"aiproxy-dev-x": "development", "aiproxy-dev-main": "development"},
    "production": {
        "aiproxy": "production",
        "aiproxy-test": "test",
        "aiproxy-x": "production",
        "aiproxy-x-test": "test",
    },
}
PIPELINES = {"development": ["aiproxy-dev-x", "aiproxy-dev-main"], "production": ["aiproxy-main", "aiproxy-x"]}
DATA = {"development": ["development"], "production": ["test", "production"]}
OF_EARLIER_STAGES = [
    f"arn:aws:cloudformation:{REGIONAL}:stack/{name}/51af3dc0-da77"
    for name in (
        "aiproxy-cicd",
        "aiproxy-x-cicd",
        "aiproxy-cicd-deps",
        "aiproxy-roles-development",
        "aiproxy-roles-production",
        "aiproxy-network",
        "aiproxy-data-development",
        "aiproxy-data-production",
    )
]


def of_environment(stack: str, kind: str) -> list[str]:
    """What an app stack makes that has a name."""
    # CloudFormation's names: the stack's, the resource's, some letters; those of balancers are shortened to fit.
    balancer = "aiproxy-dev-51af3dc0" if kind == "development" else "aipro-LoadB-1A2B3C4D5E6F"
    target = "aiproxy-dev-51af3dc0" if kind == "development" else "aipro-Targe-1A2B3C4D5E6F"
    balancing = f"arn:aws:elasticloadbalancing:{REGIONAL}"
    service = f"{stack}-Cluster-AbCd/{stack}-Service-AbCd"
    return [
        f"arn:aws:secretsmanager:{REGIONAL}:secret:{kind}/{stack}.example.org/aiproxy_api_key-AbCdEf",
        f"arn:aws:secretsmanager:{REGIONAL}:secret:{kind}/{stack}.example.org/openai_api_key-AbCdEf",
        f"arn:aws:cloudformation:{REGIONAL}:stack/{stack}/51af3dc0-da77",
        f"arn:aws:ecs:{REGIONAL}:cluster/{stack}-Cluster-AbCd",
        f"arn:aws:ecs:{REGIONAL}:service/{service}",
        f"arn:aws:ecs:{REGIONAL}:service-deployment/{service}/AbCd",
        f"arn:aws:ecs:{REGIONAL}:service-revision/{service}/1",
        f"arn:aws:ecs:{REGIONAL}:task-definition/{stack}:7",
        f"arn:aws:logs:{REGIONAL}:log-group:{stack}-LogGroup-AbCd:log-stream:aiproxy/1",
        f"arn:aws:cloudwatch:{REGIONAL}:alarm:{stack}-ErrorsAlarm-AbCd",
        f"arn:aws:cloudwatch:{REGIONAL}:alarm:TargetTracking-service/{service}-AlarmHigh-1",
        f"arn:aws:sns:{REGIONAL}:{stack}-AlarmTopic-AbCd",
        f"arn:aws:iam::{ACCOUNT}:role/aiproxy/{kind}/{stack}-TaskRole-AbCd",
        f"{balancing}:loadbalancer/app/{balancer}/50dc6c49",
        f"{balancing}:listener/app/{balancer}/50dc6c49/f2f7dc8e",
        f"{balancing}:targetgroup/{target}/73e2d6bc",
    ]


def _of_pipeline(name: str) -> list[str]:
    return [
        f"arn:aws:ecr:{REGIONAL}:repository/{name}",
        f"arn:aws:codebuild:{REGIONAL}:project/{name}-build",
        f"arn:aws:codebuild:{REGIONAL}:project/{name}-deployment-test",
        f"arn:aws:logs:{REGIONAL}:log-group:/aws/codebuild/{name}-build:log-stream:1",
        f"arn:aws:sns:{REGIONAL}:{name}-pipeline",
        f"arn:aws:s3:::artifacts/{name[:20]}/Package/AbCdEfG.zip",
        f"arn:aws:s3:::artifacts/{name}/package/0a1b2c.template",
    ]


def things(kind: str) -> list[str]:
    """All that has a name in development, or in production with its test environments."""
    found = [arn for stack, its in ENVIRONMENTS[kind].items() for arn in of_environment(stack, its)]
    found += [arn for name in PIPELINES[kind] for arn in _of_pipeline(name)]
    found += [f"arn:aws:secretsmanager:{REGIONAL}:secret:aiproxy-data-{one}/database-51af-AbCdEf" for one in DATA[kind]]
    found += [own_role(kind, role) for role in ROLES]
    if kind == "development":
        found.append(f"arn:aws:ecr:{REGIONAL}:repository/aiproxy-dev-adhoc")
    return found

#!/usr/bin/env python3
"""Write the table of answer shapes against which `stepscope test-state` checks mocked results.

    "$STEPSCOPE_TEST_VENV"/bin/python scripts/service_shapes.py            write the table
    "$STEPSCOPE_TEST_VENV"/bin/python scripts/service_shapes.py --print    print it instead

The shapes come from botocore's models (botocore is Copyright Amazon.com, Inc. or its affiliates, Apache-2.0), which the
environment of the tests holds at the version of tests/requirements.txt. Documentation, inputs, errors and patterns are left
out, equal shapes of a service are written once. The table is gzipped text, one item a line, its fields separated by tabs:

    # …                      about the table
    service NAME             the service's name in `aws-sdk:NAME:action`; shapes and operations below are its own
    shape KIND [FIELD…]      shapes are numbered from 0 in each service
    op ACTION NUMBER         an action as it is written in a Resource, and the shape of its answer

KIND is one of

    s [RANGE] [A|B|…]        string, the range of its length, its values when it is an enum
    b [RANGE]                blob, a string in JSON
    i [RANGE], f [RANGE]     integer and other numbers
    o, t, *                  boolean; timestamp, a string in JSON; anything
    l NUMBER [RANGE]         list of a shape, the range of its length
    m NUMBER                 map to a shape
    { MEMBER…                structure; a member is NAME[/OTHER][!]:NUMBER, `!` where it is required

RANGE is MIN..MAX, each of which may be missing. Members have the names that Step Functions gives them: the model's with a
capital letter; OTHER is the name that the AWS SDK for Java makes of it, where that differs (`SSEKMSKeyId/SsekmsKeyId`).
"""
import argparse
import gzip
import pathlib
import re
import sys

import botocore
import botocore.session

TABLE = pathlib.Path(__file__).parent.parent / "src/interpreter/test_state/shapes/shapes.txt.gz"

# The optimised integrations, and the services that workflows call most by aws-sdk; botocore's names.
SERVICES = """
acm apigateway apigatewayv2 application-autoscaling appsync athena autoscaling backup batch bedrock bedrock-agent
bedrock-agent-runtime bedrock-runtime budgets ce cloudcontrol cloudformation cloudfront cloudtrail cloudwatch codebuild
codedeploy codepipeline cognito-idp comprehend config databrew datasync dms dynamodb dynamodbstreams ec2 ecr ecs efs eks
elasticache elb elbv2 emr emr-containers emr-serverless events firehose glue iam iot-data kinesis kms lambda logs
mediaconvert opensearch opensearchserverless organizations pipes polly pricing ram rds rds-data redshift redshift-data
rekognition resource-groups resourcegroupstaggingapi route53 s3 sagemaker sagemaker-runtime scheduler secretsmanager
service-quotas servicediscovery ses sesv2 sns sqs ssm sso-admin stepfunctions sts support synthetics textract
timestream-query timestream-write transcribe transfer translate wafv2
""".split()

# Where the service was seen to keep other limits than the models of today have: (service, shape) -> limits.
# Lambda's quota is 10,240 MB, and TestState refused 10,241; the model allows more.
SEEN = {("lambda", "MemorySize"): {"max": 10240}}

NUMBERS = {"integer": "i", "long": "i", "bigInteger": "i", "float": "f", "double": "f", "bigDecimal": "f"}


def capitalised(name):
    return name[:1].upper() + name[1:]


def java_name(name):
    """The member as the AWS SDK for Java 2 names it, with a capital letter: words split, then joined again."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", name)
    words = re.sub(r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 ", words)
    words = re.sub(r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 ", words)
    words = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", words)
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", words)
    words = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", words)
    return "".join(word[:1].upper() + word[1:].lower() for word in words.split())


def sdk_name(model):
    """The service in `aws-sdk:<name>:action`: its id without blanks, in lower case."""
    return re.sub(r"[^a-z0-9]", "", str(model.service_id).lower())


def action_name(operation):
    return operation[:1].lower() + operation[1:]


class Service:
    """The shapes of one service's answers, in the order in which they were met."""

    def __init__(self, model):
        self.model, self.lines, self.numbers, self.written = model, [], {}, {}

    def number(self, shape):
        if shape.name in self.numbers:
            return self.numbers[shape.name]
        if shape.type_name in ("structure", "list", "map") and not getattr(shape, "eventstream", False):
            # The number is known before the members are, since a shape may hold itself.
            position = self.numbers[shape.name] = len(self.lines)
            self.lines.append(None)
            self.lines[position] = self.described(shape)
            return position
        line = self.described(shape)
        if line not in self.written:
            self.written[line] = len(self.lines)
            self.lines.append(line)
        self.numbers[shape.name] = self.written[line]
        return self.written[line]

    def described(self, shape):
        kind = shape.type_name
        if kind == "structure" and not getattr(shape, "is_document_type", False) and not getattr(shape, "eventstream", False):
            required = set(shape.required_members)
            return "\t".join(["{"] + [self.member(name, member, name in required) for name, member in shape.members.items()])
        if kind == "list":
            return "\t".join(filter(None, ["l", str(self.number(shape.member)), self.bounds(shape)]))
        if kind == "map":
            return f"m\t{self.number(shape.value)}"
        if kind == "string":
            values = "|".join(getattr(shape, "enum", None) or ())
            assert not re.search(r"[\t\n]", values)
            return "\t".join(["s", self.bounds(shape), values] if values else filter(None, ["s", self.bounds(shape)]))
        if kind in NUMBERS:
            return "\t".join(filter(None, [NUMBERS[kind], self.bounds(shape)]))
        if kind == "blob":
            return "\t".join(filter(None, ["b", self.bounds(shape)]))
        return {"boolean": "o", "timestamp": "t"}.get(kind, "*")

    def member(self, name, shape, required):
        first, other = capitalised(name), java_name(name)
        names = first if first == other else f"{first}/{other}"
        return f"{names}{'!' if required else ''}:{self.number(shape)}"

    def bounds(self, shape):
        limits = shape.metadata | SEEN.get((self.model.service_name, shape.name), {})
        least, most = limits.get("min"), limits.get("max")
        if least is None and most is None:
            return ""
        return f"{'' if least is None else least}..{'' if most is None else most}"


def table():
    session = botocore.session.get_session()
    yield f"# Made by scripts/service_shapes.py of the models of botocore {botocore.__version__}, which are licensed under Apache-2.0,"
    yield "# Copyright Amazon.com, Inc. or its affiliates; answers only, without documentation. The script describes the form."
    for name in SERVICES:
        model = session.get_service_model(name)
        service = Service(model)
        operations = []
        for operation in model.operation_names:
            output = model.operation_model(operation).output_shape
            if output is not None:
                operations.append(f"op\t{action_name(operation)}\t{service.number(output)}")
        yield f"service\t{sdk_name(model)}"
        yield from (f"shape\t{line}" for line in service.lines)
        yield from operations


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--print", action="store_true", help="print the table instead of writing it")
    options = parser.parse_args()
    text = "\n".join(table()) + "\n"
    if options.print:
        sys.stdout.write(text)
        return
    # Without a time and a name in its header, the file changes only when the table does.
    TABLE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{TABLE}: {TABLE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

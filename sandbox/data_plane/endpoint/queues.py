"""SQS and SNS: messages under the queue's or topic's key, seen once at a time (API references, 2026-11)."""

import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.store import Row
from sandbox.data_plane.endpoint.access import Asked, Call, policy_row, tags_of
from sandbox.data_plane.endpoint.errors import AwsError
from sandbox.data_plane.endpoint.keys import Keys
from sandbox.data_plane.secret_store import SecretStore

QUEUE: Final = "aws:sqs/queue:Queue"
QUEUE_POLICY: Final = "aws:sqs/queuePolicy:QueuePolicy"
TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
POLL: Final = 0.05  # seconds
NO_QUEUE: Final = "The specified queue does not exist."


class Queues:
    def __init__(self, vault: SecretStore, keys: Keys) -> None:
        self._vault, self._keys = vault, keys

    def GetQueueUrl(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        return {"QueueUrl": self._queue(call, p["QueueName"], "sqs:GetQueueUrl").id}

    def SendMessage(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._queue(call, p["QueueUrl"], "sqs:SendMessage")
        body, name = str(p["MessageBody"]), str(uuid.uuid4())
        delay = p.get("DelaySeconds")
        due = time.time() + float(queue.outputs.get("delaySeconds") or 0 if delay is None else delay)
        sealed = self._sealed(call, queue, body)
        about = json.dumps(p.get("MessageAttributes") or {}, default=str)
        with self._vault.change() as db:
            db.execute(
                "INSERT INTO messages (id, queue, about, body, visible, sent) VALUES (?, ?, ?, ?, ?, ?)",
                (name, _arn(queue), about, sealed, due, time.time()),
            )
        return {"MessageId": name, "MD5OfMessageBody": _md5(body)}

    def ReceiveMessage(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._queue(call, p["QueueUrl"], "sqs:ReceiveMessage")
        if key := _key(queue):
            self._keys.use(call, key, "kms:Decrypt", {"aws:sqs:arn": _arn(queue)}, "sqs")
        hidden = p.get("VisibilityTimeout")
        seconds = float(queue.outputs["visibilityTimeoutSeconds"] if hidden is None else hidden)
        waits = p.get("WaitTimeSeconds")
        ends = time.monotonic() + float(queue.outputs["receiveWaitTimeSeconds"] if waits is None else waits)
        while not (found := self._take(queue, int(p.get("MaxNumberOfMessages") or 1), seconds)):
            if time.monotonic() >= ends:
                return {}
            time.sleep(POLL)
        return {"Messages": [self._opened(call, queue, *m) for m in found]}

    def DeleteMessage(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        self._queue(call, p["QueueUrl"], "sqs:DeleteMessage")
        with self._vault.change() as db:
            db.execute("DELETE FROM messages WHERE receipt = ?", (p["ReceiptHandle"],))
        return {}

    def ChangeMessageVisibility(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        self._queue(call, p["QueueUrl"], "sqs:ChangeMessageVisibility")
        until = time.time() + float(p["VisibilityTimeout"])
        with self._vault.change() as db:
            db.execute("UPDATE messages SET visible = ? WHERE receipt = ?", (until, p["ReceiptHandle"]))
        return {}

    def GetQueueAttributes(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._queue(call, p["QueueUrl"], "sqs:GetQueueAttributes")
        query = "SELECT count(*) FROM messages WHERE queue = ? AND visible {} ?"
        waiting, hidden = (
            self._vault.rows(query.format(sign), _arn(queue), time.time())[0][0] for sign in ("<=", ">")
        )
        known = {
            "QueueArn": _arn(queue),
            "ApproximateNumberOfMessages": str(waiting),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "VisibilityTimeout": str(queue.outputs["visibilityTimeoutSeconds"]),
        }
        wanted = set(p.get("AttributeNames") or [])
        return {"Attributes": {k: v for k, v in known.items() if k in wanted or "All" in wanted}}

    # -- parts

    def _queue(self, call: Call, url: str, action: str) -> Row:
        name = url.rstrip("/").rpartition("/")[2]
        rows = [r for r in call.store.all(QUEUE) if r.outputs["name"] == name]
        arn = f"arn:aws:sqs:{call.store.region}:{call.session.account}:{name}"
        policy = None
        if rows:
            policy = rows[0].inputs.get("policy") or policy_row(
                call.store, QUEUE_POLICY, "queueUrl", (rows[0].id,)
            )
        call.require(Asked(action, arn, policy, tags_of(rows[0]) if rows else {}))
        if not rows:
            raise AwsError("QueueDoesNotExist", NO_QUEUE)
        return rows[0]

    def _sealed(self, call: Call, queue: Row, body: str) -> bytes:
        key = _key(queue)
        if not key:
            return body.encode()
        return self._keys.encrypt(call, key, body.encode(), {"aws:sqs:arn": _arn(queue)}, "sqs")[0]

    def _take(self, queue: Row, most: int, seconds: float) -> list[tuple[str, str, bytes, float, int]]:
        """Messages that nobody else sees for so long; who was received too often goes to the dead letters."""
        redrive = json.loads(queue.outputs.get("redrivePolicy") or "{}")
        with self._vault.change() as db:
            if redrive:
                db.execute(
                    "UPDATE messages SET queue = ?, received = 0"
                    " WHERE queue = ? AND visible <= ? AND received >= ?",
                    (
                        redrive["deadLetterTargetArn"],
                        _arn(queue),
                        time.time(),
                        int(redrive["maxReceiveCount"]),
                    ),
                )
            found = db.execute(
                "SELECT id, about, body, sent, received FROM messages WHERE queue = ? AND visible <= ?"
                " ORDER BY sent LIMIT ?",
                (_arn(queue), time.time(), most),
            ).fetchall()
            taken: list[tuple[str, str, bytes, float, int]] = []
            for name, _, body, sent, received in found:
                receipt = str(uuid.uuid4())
                db.execute(
                    "UPDATE messages SET receipt = ?, visible = ?, received = received + 1 WHERE id = ?",
                    (receipt, time.time() + seconds, name),
                )
                taken.append((name, receipt, body, sent, received + 1))
        return taken

    def _opened(
        self, call: Call, queue: Row, name: str, receipt: str, body: bytes, sent: float, received: int
    ) -> dict[str, Any]:
        if _key(queue):
            body, _ = self._keys.decrypt(call, body, {"aws:sqs:arn": _arn(queue)}, via="sqs")
        text = body.decode()
        counts = {"SentTimestamp": str(int(sent * 1000)), "ApproximateReceiveCount": str(received)}
        return {
            "MessageId": name,
            "ReceiptHandle": receipt,
            "Body": text,
            "MD5OfBody": _md5(text),
            "Attributes": counts,
        }


class Topics:
    """What is published is kept under the topic's name; nobody is mailed from a sandbox."""

    def __init__(self, vault: SecretStore, keys: Keys) -> None:
        self._vault, self._keys = vault, keys

    def Publish(self, call: Call, p: Mapping[str, Any]) -> dict[str, Any]:
        arn, name = str(p.get("TopicArn") or p["TargetArn"]), str(uuid.uuid4())
        rows = call.store.find(TOPIC, arn)
        policy = None
        if rows:
            policy = rows[0].inputs.get("policy") or policy_row(call.store, TOPIC_POLICY, "arn", (arn,))
        call.require(Asked("sns:Publish", arn, policy, tags_of(rows[0]) if rows else {}))
        if not rows:
            raise AwsError("NotFound", "Topic does not exist")
        body, key = str(p["Message"]).encode(), rows[0].inputs.get("kmsMasterKeyId")
        if key:
            # SNS asks for both (SNS developer guide, "Key management", 2026-11).
            bound = {"aws:sns:topicArn": arn}
            self._keys.use(call, key, "kms:Decrypt", bound, "sns")
            body, _ = self._keys.encrypt(call, key, body, bound, "sns")
        about = json.dumps({"Subject": p.get("Subject")})
        with self._vault.change() as db:
            db.execute(
                "INSERT INTO messages (id, queue, about, body, visible, sent) VALUES (?, ?, ?, ?, ?, ?)",
                (name, arn, about, body, time.time(), time.time()),
            )
        return {"MessageId": name}


def _arn(queue: Row) -> str:
    return str(queue.outputs["arn"])


def _key(queue: Row) -> str | None:
    return queue.inputs.get("kmsMasterKeyId")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

from collections.abc import Iterable

from chatnation import EventQueue, Plugin, QueueDriver, hookimpl


def open_kafka(*arguments: object) -> EventQueue:
    raise NotImplementedError("an object with the methods of EventQueue")


class KafkaPlugin(Plugin):
    """Kafka as the event log"""

    name = "kafka"

    @hookimpl
    def register_queues(self) -> Iterable[QueueDriver]:
        return [QueueDriver("kafka", open_kafka)]

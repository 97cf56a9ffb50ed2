"""The read-only handle on the pipeline's files: few fair connections, one owner, one close."""

from contimg_lab.database._heartbeat import heartbeat
from contimg_lab.database.handle import Database

__all__ = ["Database", "heartbeat"]

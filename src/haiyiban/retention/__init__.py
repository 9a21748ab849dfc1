"""What is kept no longer than it must be (保存期限): each class of data, its term and its law, and what was
deleted when.

Folders declare the terms of their tables (`Zone.terms`, haiyiban.terms); the worker carries them out.
Source: 个人信息保护法 art. 19, 47, 54; docs/domain.md §13; docs/retention.md.
"""

from haiyiban.errors import Words
from haiyiban.retention.controllers import RetentionController
from haiyiban.retention.metrics import SINCE_DONE
from haiyiban.zone import Zone

zone = Zone(
    name="retention",
    title=Words("数据保存期限", "Retention"),
    controllers=(RetentionController,),
    metrics=(SINCE_DONE,),
)

__all__ = ["zone"]

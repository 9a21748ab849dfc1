"""What a person may ask about their own data: a copy of all of it, and its end with the account.

Every feature and zone says itself what it keeps (`Zone.about`, `Zone.in_the_way`, `Zone.forget`).
Source: 个人信息保护法 art. 45, 47; docs/domain.md §13; docs/your-data.md.
"""

from haiyiban.errors import Words
from haiyiban.own_data.controllers import DeletionController, ExportController
from haiyiban.zone import Zone

zone = Zone(
    name="own-data", title=Words("我的数据", "My data"), controllers=(ExportController, DeletionController)
)

__all__ = ["zone"]

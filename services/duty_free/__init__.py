"""Duty-free shopping for those who leave the island (离岛免税专区).

Source: docs/domain.md §8; docs/duty-free.md.
"""

from haiyiban.errors import Words
from haiyiban.tallies import Tally
from haiyiban.zone import Zone
from services.duty_free.about import WORDS, about
from services.duty_free.allowance.controllers import AllowanceController
from services.duty_free.allowance.shop_controllers import ShopOrdersController
from services.duty_free.allowance.tasks import RELEASE_NO_SHOWS
from services.duty_free.leaving import forget, in_the_way
from services.duty_free.parcels.controllers import ParcelsController, ShopParcelsController
from services.duty_free.pickup.controllers import PickupChecksController
from services.duty_free.pickup.kind import PICKUP
from services.duty_free.scale import LOADS
from services.duty_free.seed import seed
from services.duty_free.terms import TERMS
from services.duty_free.vouchers.books import CHECK_BOOKS
from services.duty_free.vouchers.claiming import CLAIMS
from services.duty_free.vouchers.controllers import CampaignsController, VouchersController
from services.duty_free.vouchers.desk_controllers import CampaignDeskController
from services.duty_free.vouchers.kind import VOUCHER
from services.duty_free.vouchers.redemption_controllers import RedemptionsController
from services.duty_free.vouchers.settlement_controllers import BooksController, SettlementController
from services.duty_free.vouchers.tasks import EXPIRE_VOUCHERS
from services.duty_free.vouchers.turned_away_controller import RefusedClaimsController

zone = Zone(
    name="duty-free",
    title=Words("离岛免税专区", "Duty-free zone"),
    controllers=(
        AllowanceController,
        ShopOrdersController,
        PickupChecksController,
        ParcelsController,
        ShopParcelsController,
        CampaignsController,
        VouchersController,
        RedemptionsController,
        SettlementController,
        BooksController,
        CampaignDeskController,
        RefusedClaimsController,
    ),
    code_kinds=(PICKUP, VOUCHER),
    tasks=(RELEASE_NO_SHOWS, CHECK_BOOKS, EXPIRE_VOUCHERS),
    tallies=(
        Tally(
            name="duty-free.claimed",
            query="SELECT '', '', count(*) FROM duty_free_voucher WHERE id >= :first AND id < :past "
            "HAVING count(*) > 0",
        ),
        # One that was reversed the same day is nobody's redemption.
        Tally(
            name="duty-free.redeemed",
            query="SELECT '', '', count(*) FROM duty_free_redemption WHERE id >= :first AND id < :past "
            "AND state <> 'reversed' HAVING count(*) > 0",
        ),
    ),
    metrics=(CLAIMS,),
    seed=seed,
    scale=LOADS,
    terms=TERMS,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["zone"]

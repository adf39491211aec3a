"""What the registry's books beside an account are called in a household's file: Chinese, English."""

from registry.conversion_models import ConversionTarget
from registry.premises_models import BannedUseKind, DepositKind, ExemptionGround

Said = tuple[str, str]

DEPOSITS: dict[str, Said] = {
    DepositKind.PAID.value: ("收取", "paid"),
    DepositKind.REFUNDED.value: ("退还", "refunded"),
    DepositKind.FORFEITED.value: ("扣除", "forfeited"),
    DepositKind.CONVERTED.value: ("转作改造费用", "went into the conversion"),
}

EXEMPTED: dict[str, Said] = {
    ExemptionGround.NO_PIPE_YET.value: ("还没有管道气", "no piped gas yet"),
    ExemptionGround.CANNOT_CONVERT.value: ("不具备改造条件", "cannot convert"),
    ExemptionGround.HARDSHIP.value: ("确有困难", "a hardship"),
}

USES: dict[str, Said] = {
    BannedUseKind.PIPED_ESTATE.value: ("管道气小区", "a piped estate"),
    BannedUseKind.LIFT_BUILDING.value: ("电梯楼", "a building with a lift"),
    BannedUseKind.HIGH_RISE.value: ("高层建筑", "a high-rise"),
    BannedUseKind.GARAGE.value: ("车库", "a garage"),
    BannedUseKind.BASEMENT.value: ("地下室", "a basement"),
    BannedUseKind.FREE_AREA.value: ("禁用区", "a free area"),
}

TARGETS: dict[str, Said] = {
    ConversionTarget.PIPED_GAS.value: ("改管道气", "to piped gas"),
    ConversionTarget.ELECTRICITY.value: ("改用电", "to electricity"),
}

"""What the words of facts are called in a Chinese sentence: states, grades, kinds of place and of hold.

In the rows, the answers and the English texts they stay the words of the code.
"""

WORDS = {
    # states
    "above_ground": "地上",
    "active": "有效",
    "applied": "已下发",
    "asked": "已提交",
    "at_inspection": "送检中",
    "blocked": "已停用",
    "booked": "已预约",
    "cancelled": "已取消",
    "closed": "已注销",
    "delivered": "已送达",
    "discarded": "已作废",
    "done": "已完成",
    "failed": "未送成",
    "finished": "已收车",
    "found": "已发现",
    "held": "扣留中",
    "in_service": "在用",
    "loaded": "已装车",
    "lost": "已挂失",
    "mended": "已报整改",
    "open": "正常",
    "planned": "已排班",
    "proposed": "待审",
    "refused": "不予办理",
    "running": "进行中",
    "scrapped": "已报废",
    "started": "配送中",
    "suspended": "已暂停",
    "told": "已告知",
    "withheld": "暂停供气",
    # grades of a hazard
    "general": "一般",
    "serious": "较重",
    "major": "重大",
    # where gas is used
    "basement": "地下室",
    "garage": "车库",
    "semi_basement": "半地下室",
    "unventilated": "不通风的密闭空间",
    # holds on a bottle
    "conflict": "流转记录互相矛盾",
    "hazard": "有隐患",
    "police": "公安查扣",
    "recall": "召回",
    # what is looked at before and after a filling
    "body": "瓶体",
    "leak": "检漏",
    "tag": "标志标签",
    "valve": "瓶阀",
    # why there is no door code
    "expired": "已过期",
    "not_issued": "还没有发出",
    "used": "已用过",
}

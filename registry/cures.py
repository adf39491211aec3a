"""What an office can do about many a "no" of the registry, said once."""

LOOK_IT_UP = ("look_up", "查找已登记的记录并使用它", "find the record that stands and use it")
ASK_AGAIN = ("ask_again", "刷新后再试", "reload and try again")

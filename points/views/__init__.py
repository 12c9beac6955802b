"""Pages of the 时间银行."""

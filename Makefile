# Thin aliases of ./lpg, which does the work.
.PHONY: demo run test check
demo run test check:
	@./lpg $@

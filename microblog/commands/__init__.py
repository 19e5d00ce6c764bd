"""The commands of ``microblog``, one module per matter.

`__main__` joins them.  A module offers ``add(command)``: it names its commands, their arguments
and the coroutine that runs each; `starting` holds what several of them need before they begin.
"""

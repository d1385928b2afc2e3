"""How many digits gradients keep: generated kernels against torch and SymPy, by multiprecision.

cases     what is measured, and torch's built-in for it
points    adversarial inputs: bit patterns, the working range, special values
truth     values, gradients and their conditioning in multiprecision
peers     torch autograd of the plain formula, torch's built-ins, SymPy's lambdify
measure   nan, wrong zeros, mixed ulp of each peer on each case
table     the JSON, the page and the plot
"""

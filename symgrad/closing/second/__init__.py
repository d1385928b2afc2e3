"""Second order: Hessian times a vector and its diagonal."""

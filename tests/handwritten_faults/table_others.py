"""Rows of `table.py` for matrix functions and our own formulas; its docstring says how they are read."""

ROWS = """
[matrix/quadratic_form.yaml matrices grad numpy]
quadratic | right
quadratic_as_if_symmetric | transposed @x ; missing_term A.T @ x @x | 2 A x: A is not symmetric.
quadratic_one_side | missing_term A.T @ x @x | The transposed half.
quadratic_transposed_twice | transposed @x ; missing_term A @ x @x | 2 A' x.
quadratic_matrix_doubled | factor 2 @A | Twice.
quadratic_difference +value | ~sign @x ; missing_term @x | A - A'.
quadratic_halved | factor 1/2 | Half.

[matrix/log_determinant.yaml matrices grad torch]
logdet | right
logdet_of_det | extra_factor det(X) | Gradient of the determinant.
logdet_is_x | - | The inverse is forgotten.
logdet_sign | sign | Sign.
logdet_symmetric_convention | ~region i != j ; factor 2 | 2 inv - diag, the convention of symmetric matrices.
logdet_twice +value | factor 2 | Twice, from the Cholesky factor.

[matrix/determinant.yaml matrices grad numpy]
determinant | right
determinant_not_transposed | transposed | inv for inv'.
determinant_of_log hard | missing_factor det(X) ; extra_factor 1/det(X) | Gradient of the logarithm.
determinant_minors_without_signs | ~sign ; region (i + j) % 2 == 1 | Minors for cofactors.
determinant_of_inverse hard | missing_factor det(X)**2 ; extra_factor det(X)**(-2) | Divided for multiplied.
determinant_nan_where_singular hard | nonfinite ; precision ; region det(X) == 0 | det inv' has no value at singular X.

[matrix/trace_bilinear.yaml matrices grad numpy]
trace_bilinear | right
trace_bilinear_one_term | missing_term B.T @ X.T @ A.T | The second X.
trace_bilinear_transposed | transposed ; shape | Not transposed.
trace_bilinear_doubled | ~missing_term B.T @ X.T @ A.T | As if the factors commuted.
trace_bilinear_minus | ~sign ; missing_term | Minus between the terms.
trace_bilinear_sign | sign | Sign.

[matrix/least_squares.yaml matrices grad numpy]
least_squares | right
least_squares_half | factor 1/2 | The 2 missing.
least_squares_mean +value | factor 1/m ; reduction | Mean for the norm.
least_squares_without_target | missing_term -2*A.T @ b | The target.
least_squares_target_sign | ~sign ; extra_term 4*A.T @ b | Ax + b.
least_squares_normalized | extra_factor 1/(2*norm(A @ x - b)) | Gradient of the norm, not of its square.
least_squares_sign | sign | b - Ax.

[losses/l2_regularized.yaml matrices grad numpy]
ridge | right
ridge_penalty_doubled | extra_term lam*w[j] @w ; factor @w
    | 2 lam w. (2 times the term lam*w, as well as a term too many.)
ridge_penalty_lost | missing_term lam*w[j] @w | No penalty.
ridge_penalty_divided | ~factor 1/n @w ; reduction @w | The penalty divided by n.
ridge_data_doubled | ~factor 2 @b ; extra_term @w | The 1/2 of the squares forgotten.
ridge_intercept_sum | factor n @b ; reduction @b | Not divided by n.
ridge_intercept_in_data_lost | missing_term b @b ; missing_term Sum(X[i, j]*b, i)/n @w | The intercept left out of r.

[losses/l1_regularized.yaml matrices grad numpy]
lasso | right
lasso_kink_at_zero | kink w[j] == 0 @w | 1 for 0 at 0.
lasso_as_ridge | - | lam w for lam sign(w).
lasso_one_for_all | region w[j] <= 0 @w ; missing_factor sign(w[j]) @w
    | lam without the sign. (The missing factor says more than where it shows.)
lasso_penalty_sign | ~sign @w ; missing_term @w | The penalty's sign.

[matrix/bilinear_inverse.yaml matrices grad numpy]
bilinear_inverse | right
bilinear_inverse_transposed | transposed @X | Outer product the other way.
bilinear_inverse_sign | sign @X | Minus missing.
bilinear_inverse_single hard | missing_factor inv(X).T @X | The left inverse missing.
bilinear_inverse_vectors_swapped hard | transposed @a,b | inv' for inv and the other way.

[own/fair.yaml boosting hess numpy]
fair | right
fair_residual_flipped | sign @x | labels - preds, as in an XGBoost example.
fair_hessian_not_squared | missing_factor c/(a[i] + c) @hessian | c/den for its square.
fair_hessian_doubled | factor 2 @hessian | Twice.
fair_constant_forgotten | missing_factor c ; factor 1/2 ; factor 1/c | c missing in both.
fair_averaged | factor 1/n ; reduction | Divided by n where the loss is a sum.

[own/pseudo_huber.yaml boosting hess numpy]
pseudo_huber | right
pseudo_huber_root_forgotten | extra_factor 1/sqrt(1 + ((x[i] - y[i])/delta)**2) @x | scale for its root.
pseudo_huber_hessian_one_root | missing_factor 1/sqrt(1 + ((x[i] - y[i])/delta)**2) @hessian | The power 1 for 3/2.
pseudo_huber_delta_forgotten delta=2.0 | - | delta ignored; right at its default 1.
pseudo_huber_signed | sign @x | labels - preds.
pseudo_huber_hessian_sign | sign @hessian | Sign.

[own/squared_log.yaml boosting hess numpy]
squared_log | right
squared_log_one_plus_y | extra_factor (1 + x[i])/(1 + y[i]) @x | (1 + p)/(1 + y).
squared_log_chain_forgotten | missing_factor 1/(1 + x[i]) @x ; extra_factor 1 + x[i] @x | Derivative of log1p.
squared_log_doubled | factor 2 | The 1/2 forgotten in both.
squared_log_gauss_newton | missing_term (log1p(y[i]) - log1p(x[i]))/(1 + x[i])**2 @hessian | Gauss-Newton.
squared_log_without_shift | extra_factor (1 + x[i])/x[i] @x | 1/x for 1/(1 + x).

[own/tweedie.yaml boosting hess numpy]
tweedie | right
tweedie_hessian_without_chain | missing_term -(1 - rho)*y[i]*exp((1 - rho)*s[i]) @hessian | The second part.
tweedie_hessian_sign_inside | ~sign @hessian | Plus between the parts.
tweedie_as_gamma | ~extra_factor 1/(1 - rho) @s | The first part is not differentiated.
tweedie_zeros_skipped | region y[i] == 0 | Rows with y = 0 are skipped.
tweedie_sign | sign @s | a - b.

[own/pairwise_ranking.yaml boosting grad numpy]
ranking | right
ranking_only_winners | missing_term Sum(w[j, i]*sigmoid(s[i] - s[j]), j) | The losers' part.
ranking_added | ~sign ; missing_term | + for - between winners and losers.
ranking_axes_swapped | sign | Added to the winner, taken from the loser.
ranking_unweighted hard | missing_factor w[i, j] | The pairs' weights missing, within the sum.
ranking_sigmoid_of_difference | - | sigmoid(d) for sigmoid(-d).

[second_order/logistic_regression.yaml boosting hess numpy]
logistic | right
logistic_hessian_not_squared hard | missing_factor X[i, j] @hessian | X for X^2.
logistic_hessian_without_variance hard | missing_factor p[i]*(1 - p[i]) @hessian | p (1 - p) missing.
logistic_hessian_sum | factor n @hessian ; reduction @hessian | Not divided by n.
logistic_sum | factor n ; reduction | Neither is divided by n.
logistic_with_variance hard | extra_factor p[i]*(1 - p[i]) @w | p (1 - p) in the gradient, within the sum.

[losses/softmax_cross_entropy.yaml boosting hess numpy]
softprob | right
softprob_hessian_doubled | factor 2 @hessian | XGBoost's bound: twice the diagonal, at least 1e-16.
softprob_hessian_without_complement | missing_factor 1 - y[i, j] @hessian | y for y (1 - y).
softprob_not_averaged | factor n ; reduction | Neither is divided by n.
softprob_hessian_of_targets | - | y (1 - t).

[own/distillation.yaml own grad torch]
distillation | right
distillation_temperature_cancelled | missing_factor T ; factor 1/T ; factor 1/2 | T of T^2/T missing.
distillation_square_kept | extra_factor T ; factor T ; factor 2 | T^2 without the chain's 1/T.
distillation_hot_teacher | - | The teacher is not softened.
distillation_teacher_minus_student +value | sign | Sign.
distillation_argmax | - | The teacher's best class for its distribution.

[own/masked_mse.yaml own grad numpy]
masked | right
masked_nothing | region Not(m[i, j]) | The mask is forgotten.
masked_by_size | reduction ; extra_factor (1 + Sum(where(m[k, l], 1, 0), k, l))/(n*d) | Divided by all entries.
masked_smoothing_forgotten hard
    | epsilon ; missing_term 1
    ; extra_factor (1 + Sum(where(m[k, l], 1, 0), k, l))/Sum(where(m[k, l], 1, 0), k, l)
    | The 1 of the denominator is missing.
masked_inverse | ~region | The mask is inverted.
masked_by_row | wrong_axis | Each row divided by its own number.
masked_without_two +value | factor 1/2 | The 2 missing.
"""

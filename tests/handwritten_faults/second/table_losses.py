"""Rows of `table.py` for losses and boosters."""

ROWS = """
[second/expectile.yaml second.regression grad torch]
expectile +value | right
expectile_weight_in_single +value | precision | torch.where of two Python numbers is float32.
expectile_sides_swapped +value | ~region | 1 - q for q and the other way.
expectile_without_two +value | factor 1/2 | The 2 of the square.
expectile_unweighted +value | missing_factor w[i] | The weight is in the value only.
expectile_as_quantile +value | extra_factor 1/(2*Abs(x[i] - t[i])) | The slope of the quantile loss.

[second/student_t.yaml second.regression grad numpy]
student_t | right
student_t_location_of_normal | missing_factor (nu + 1)/(nu + e[i]**2) @m | The normal's gradient of the mean.
student_t_scale_sign | sign @s | Sign.
student_t_without_one | factor nu/(nu + 1) @m ; factor 4/5 @m ; missing_factor (nu + 1)/nu @m | nu for nu + 1.
student_t_scale_forgotten | missing_factor exp(-s[i]) @m | Derivative in e, not in m.

[second/gamma_nll.yaml second.regression grad torch]
gamma_nll | right
gamma_nll_stirling | - | log for digamma.
gamma_nll_without_rate_term | missing_term y[i]/n @b | y is missing.
gamma_nll_data_forgotten | missing_term -log(y[i])/n @a | log(y) is missing.
gamma_nll_not_averaged | reduction ; factor n | Not divided by n.

[second/wing.yaml second.regression function torch]
Wing | right
WingTailDead | region a[i, j] >= w | 0 for 1 in the linear part.
WingNotAveraged | reduction ; factor n | Not divided by n, its forward is.
WingCurvatureOne | epsilon ; region a[i, j] < w ; extra_factor (eps + a[i, j])/(1 + a[i, j]) | 1 for eps.
WingJointInside hard | kink a[i, j] == w | <= for <.

[second/gaussian_kl.yaml second.regression grad numpy]
gaussian_kl | right
gaussian_kl_means_alike | sign @u | u has m's sign.
gaussian_kl_unit_prior_variance | missing_factor exp(-v[i, k]) @m ; extra_factor exp(v[i, k]) @m
    | Not divided by exp(v).
gaussian_kl_variance_sees_no_means | missing_term -(m[i, k] - u[i, k])**2*exp(-v[i, k])/(2*n) @v | The means' part.
gaussian_kl_mean_of_everything | factor 1/d | Divided by n d.
gaussian_kl_standard_prior_in_s hard | missing_factor exp(-v[i, k]) @s ; missing_term -v[i, k] @s
    | exp(s) for exp(s - v), in one term.

[second/negative_binomial.yaml second.regression grad numpy]
negative_binomial | right
negative_binomial_as_poisson | missing_factor 1/(1 + q[i]) ; extra_factor 1 + q[i] | Poisson's gradient.
negative_binomial_normalizer_only | missing_term -y[i]/n | The count is missing.
negative_binomial_of_mean | extra_factor exp(-s[i]) ; missing_factor exp(s[i]) | With respect to the mean.
negative_binomial_inner_a a=0.7 hard | missing_factor a ; factor 1/a | a of the inner derivative, in one term.

[second/denoise.yaml second.regression grad numpy]
denoise | right
denoise_one_end | missing_term lam*(x[i] - x[i - 1])/sqrt((x[i] - x[i - 1])**2 + eps)
    | Each step pulls one end only.
denoise_repelling | sign ; missing_term | The steps' part has the wrong sign.
denoise_unsmoothed | epsilon | eps is missing.
denoise_data_doubled | factor 2 ; extra_term x[i] - y[i] | The 1/2 of the data forgotten, in one term.
denoise_periodic | ~extra_term ; region | As if the signal were a ring.

[second/gamma_deviance.yaml second.boosting hess numpy]
gamma reduction=sum args=s,label(y) | right
gamma_of_mean reduction=sum args=s,label(y) | extra_factor exp(-s[i]) @s ; missing_factor exp(s[i]) @s
    | The chain of the log link is missing.
gamma_concave reduction=sum args=s,label(y) | sign @hessian | Sign.
gamma_shape_left_out k=2.0 reduction=sum args=s,label(y) | missing_factor k ; factor 1/2 ; factor 1/k
    | k is ignored.
gamma_ratio_minus_one reduction=sum args=s,label(y) | sign @s | Sign.

[second/logcosh_booster.yaml second.boosting hess numpy]
logcosh reduction=sum args=x,label(t),w | right
logcosh_hessian_unweighted reduction=sum args=x,label(t),w | missing_factor w[i] @hessian | The weight is missing.
logcosh_unweighted reduction=sum args=x,label(t),w | missing_factor w[i] | The weight is missing in both.
logcosh_chain_forgotten reduction=sum args=x,label(t),w | missing_factor 1/c ; factor c ; factor 3/2
    | 1/c of the chain.
logcosh_hessian_is_slope reduction=sum args=x,label(t),w
    | missing_factor 1 + Abs(tanh((x[i] - t[i])/c)) @hessian | 1 - |tanh| for 1 - tanh^2.

[second/binary_booster.yaml second.boosting hess numpy]
binary reduction=sum args=t,x | right
binary_hessian_unweighted reduction=sum args=t,x | region t[i] == 1 @hessian ; missing_factor @hessian | a missing.
binary_weight_forgotten reduction=sum args=t,x | region t[i] == 1 ; missing_factor ; factor 1/a
    | a missing in both.
binary_arguments_swapped reduction=sum args=t,x | - | Called as (y_pred, y_true).
binary_weight_squared reduction=sum args=t,x | region t[i] == 1 ; extra_factor ; factor a | a^2 for a.
binary_label_minus_p reduction=sum args=t,x | sign @x | Sign.

[losses/huber.yaml second.boosting hess numpy]
huber | right
huber_hessian_everywhere | region Abs(x[i] - t[i]) > delta @hessian | 1 in the linear part too.
huber_hessian_not_averaged | reduction @hessian ; factor n @hessian | Not divided by n.

[second_order/logsumexp.yaml second.boosting hess numpy]
softmax_of_vector | right
softmax_of_vector_squared_only | missing_term y[j] @hessian | The outer product only.
softmax_of_vector_rows | ~wrong_axis @hessian | The Jacobian's rows summed, which is 0.

[second/additive_margin.yaml second.classes grad numpy]
additive | right
additive_scale_forgotten | missing_factor a ; factor 1/4 ; factor 1/a | The scale of the chain.
additive_margin_of_all | factor m ; missing_term m | The margin is taken from all, which is none.
additive_target_only | missing_term a*y[i, j]*(1 - where(j == t[i], 1, 0))/n ; region j != t[i]
    | Only at the target.

[second/poly.yaml second.classes function torch]
Poly | right
PolyAsCrossEntropy | missing_term eps*q[i]*(y[i, j] - where(j == t[i], 1, 0)) ; missing_factor 1 + eps*q[i]
    | No second term.
PolyWithoutProbability hard | missing_factor q[i] ; extra_factor (1 + eps)/(1 + eps*q[i])
    | q missing in the second term.
PolyUpstreamLost | upstream ignored | Not used.
PolyUpstreamMean | wrong_axis ; upstream | Averaged over the batch.

[second/weston_watkins.yaml second.classes grad numpy]
weston_watkins | right
weston_watkins_counts_target | region j == t[i] ; extra_term -where(j == t[i], 1, 0)/(c*n)
    | The target is counted itself.
weston_watkins_target_once | region j == t[i] | At most once at the target.
weston_watkins_sum_over_classes | factor c ; missing_factor 1/c | Not divided by c.
weston_watkins_touching | kink margin - z[i, t[i]] + z[i, j] == 0 | >= for >.
weston_watkins_target_left_out | region j == t[i] ; missing_term | 0 at the target.

[second/policy_gradient.yaml second.classes grad numpy]
policy | right
policy_entropy_sign | sign ; missing_term | The bonus has the wrong sign.
policy_entropy_through_itself | missing_term beta*y[i, j]*(H[i] - 1)/n ; missing_factor H[i]
    | No coupling of the softmax in the entropy's part: y (1 + log y).
policy_ascent | sign | Sign.
policy_advantage_forgotten hard | missing_factor A[i] | In one term.
policy_without_bonus | missing_term beta*y[i, j]*(log(y[i, j]) + H[i])/n | The entropy's part.

[second/ppo.yaml second.classes grad torch]
ppo +value | right
ppo_ratio_forgotten +value | missing_factor r[i] | r of the chain.
ppo_clipped_on_both_sides +value | region Or(And(A[i] > 0, r[i] < 1 - eps), And(A[i] < 0, r[i] > 1 + eps))
    | 0 wherever r is outside.
ppo_never_clipped +value | region Or(And(A[i] > 0, r[i] > 1 + eps), And(A[i] < 0, r[i] < 1 - eps)) | Never 0.
ppo_ascent +value | sign | Sign.

[second/token_ce.yaml second.classes grad torch]
token | right
token_every_one_counts | reduction ; extra_factor (1 + Sum(where(m[k, l], 1, 0), k, l))/(n*s) | Divided by n s.
token_padding_kept | region Not(m[i, j]) | Padding keeps the softmax's part.
token_shifted | - | The targets are shifted by one.
token_by_sequence | wrong_axis | Each sequence divided by its own count.

[second/cox.yaml second.classes grad numpy]
cox | right
cox_sum_over_the_wrong_ones | transposed ; wrong_axis | Sum over the risk set for that over the events.
cox_events_only | missing_term | The normalizer's part.
cox_not_divided | reduction ; extra_factor 1 + Sum(e[k], k) ; factor | Not divided by the number of events.
cox_without_itself | ~region | > for >= in the risk set.

[losses/tversky.yaml second.catalogue grad numpy]
tversky | right
tversky_quotient_half | missing_term a[i]*(t[i, j] + alpha*(1 - t[i, j]) - beta*t[i, j])/(b[i]**2*n)
    | The denominator's derivative.
tversky_weights_swapped | - | alpha and beta change places.
tversky_index_not_loss | sign | Gradient of the index.
tversky_smoothing_above_only | epsilon | eps is missing below.

[losses/focal_multiclass.yaml second.catalogue grad torch]
focal | right
focal_weight_detached | missing_term (1 - q[i])**(g - 1)*g*q[i]*log(q[i])*(where(j == t[i], 1, 0) - y[i, j])/n
    | The weight is taken for a constant.
focal_gamma_of_two g=3.0 hard | missing_factor g | g missing in one term.
focal_only_target | region j != t[i] ; missing_term | Only at the target.
focal_summed | reduction ; factor n | Not divided by n.

[losses/jensen_shannon.yaml second.catalogue grad numpy]
jensen_shannon | right
jensen_shannon_of_probabilities | - | With respect to the probabilities.
jensen_shannon_uncoupled | missing_term -q[i, j]*a[i]/(2*n) | The softmax's coupling.
jensen_shannon_half_forgotten | factor 2 | The 1/2 missing.

[losses/cosine_embedding.yaml second.catalogue grad numpy]
cosine_embedding | right
cosine_embedding_always_pushed | region And(t[i] < 0, s[i] <= margin) | The relu of t = -1 is missing.
cosine_embedding_of_dot | missing_term | The norms taken for constants.
cosine_embedding_positive_sign | region t[i] > 0 ; sign | The sign of the pairs t = 1.

[losses/cross_entropy.yaml second.catalogue grad numpy]
cross_entropy | right
cross_entropy_whole_column | - | y[:, t] -= 1 for y[range(n), t] -= 1.
cross_entropy_single | precision | In float32.
cross_entropy_by_columns | wrong_axis | Softmax over the batch.

[losses/nll_mixture_density.yaml second.catalogue grad numpy]
mixture | right
mixture_overflowing | nonfinite | r e is 0 inf where exp(-s) overflows.
mixture_prior_for_posterior | extra_factor y[i, j]/r[i, j] @m ; missing_factor r[i, j]/y[i, j] @m | y for r.
mixture_logits_sign | sign @z | Sign.
mixture_normalizer_forgotten | missing_term r[i, j]/n @s | Derivative of -s.
"""

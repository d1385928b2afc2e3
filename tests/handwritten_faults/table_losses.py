"""Rows of `table.py` for losses; its docstring says how they are read."""

ROWS = """
[losses/mse.yaml regression grad numpy]
mse | right
mse_half | factor 1/2 | The 2 of the square's derivative is missing.
mse_sum +value | reduction ; factor n | Gradient of the sum beside the value of the mean.
mse_backwards +value | sign | Target minus prediction.
mse_root | extra_factor 1/(2*sqrt(mean((x[i] - t[i])**2, i))) | Gradient of the root of the mean square.
mse_twice | factor 2 | The loop adds each entry twice.
mse_bessel | factor n/(n - 1) | Divided by n - 1.

[losses/huber.yaml regression grad numpy]
huber | right
huber_flipped | sign | Residual is label minus prediction, as in an XGBoost example.
huber_unscaled_tail delta=1.5 | region Abs(x[i] - t[i]) > delta ; missing_factor delta
    | delta missing in the linear part.
huber_never_linear +value | region Abs(x[i] - t[i]) > delta | Linear part ignored.
huber_one_side | region x[i] - t[i] < -delta | Clipped above only.
huber_sum | reduction ; factor n | Not divided by n.
huber_hole hard | kink Abs(x[i] - t[i]) == delta | Zero exactly at the joint, < and > without equality.

[losses/smooth_l1.yaml regression grad numpy]
smooth_l1 | right
smooth_l1_beta_forgotten_inside beta=0.5 | region Abs(x[i] - t[i]) < beta ; missing_factor 1/beta | r for r/beta.
smooth_l1_clipped_only beta=0.5 | missing_factor 1/beta ; factor beta ; factor 1/2 | Huber's gradient, 1/beta missing.
smooth_l1_half_tail | region Abs(x[i] - t[i]) >= beta | Half the slope in the linear part.
smooth_l1_half | factor 1/2 | Half of everything.
smooth_l1_of_target | sign | Gradient with respect to the target.

[losses/quantile.yaml regression grad numpy]
quantile | right
quantile_of_the_other_side q=0.3 | ~extra_term (2*q - 1)/n | Level 1 - q for q; right at the default 1/2.
quantile_tie_right | kink x[i] == t[i] | A tie takes the lower branch, Max halves it.
quantile_sign +value | sign | Derivative in the residual.
quantile_sum | reduction ; factor n | Not divided by n.
quantile_only_over | region x[i] < t[i] ; missing_term -q/n | Zero below the target.

[losses/poisson_nll.yaml regression grad numpy]
poisson | right
poisson_of_rate | missing_factor exp(x[i]) ; extra_factor exp(-x[i]) | Gradient with respect to the rate.
poisson_without_count +value | missing_term -t[i]/n | The count is missing.
poisson_sign | sign | Count minus rate.
poisson_capped | region x[i] > 2 | The exponent is capped at 2 in the gradient only.
poisson_positive_counts | region t[i] == 0 | Rows with count 0 are skipped.
poisson_mean_of_mean | factor 1/n | Divided by n twice.

[losses/gaussian_nll.yaml regression grad numpy]
gaussian_nll | right
gaussian_nll_mean_flipped | sign @m | The mean's gradient has target minus mean.
gaussian_nll_half_forgotten | factor 2 @s | The 1/2 is missing for the log-variance.
gaussian_nll_unit_variance | missing_factor exp(-s[i]) @m | The mean's gradient is not divided by the variance.
gaussian_nll_no_normalizer +value | missing_term 1/(2*n) @s | Derivative of s/2 missing.
gaussian_nll_variance_not_inverted | extra_factor exp(2*s[i]) @m | Times the variance for divided by it.
gaussian_nll_of_variance | missing_factor exp(s[i]) @s ; extra_factor exp(-s[i]) @s
    | With respect to the variance, not its logarithm.

[losses/log_cosh.yaml regression grad numpy]
log_cosh | right
log_cosh_ratio | nonfinite ; precision ; region Abs(x[i] - t[i]) > 710 | sinh/cosh overflow: nan.
log_cosh_curvature | - | The second derivative is returned.
log_cosh_sign | sign | tanh of target minus prediction.
log_cosh_saturated | region Abs(x[i] - t[i]) > 3 | sign for tanh beyond 3.
log_cosh_sum +value | reduction ; factor n | Not divided by n.

[losses/hinge.yaml regression grad numpy]
hinge | right
hinge_touching | kink t[i]*x[i] == 1 | <= for <.
hinge_without_label | missing_factor t[i] | The label is missing.
hinge_always_active | region t[i]*x[i] >= 1 | The relu's mask is missing.
hinge_sign | sign | Plus the label.
hinge_at_zero | region And(0 <= t[i]*x[i], t[i]*x[i] < 1) ; missing_term 1 | The margin is forgotten: perceptron.

[losses/bce.yaml binary grad numpy]
bce | right
bce_as_of_logits | extra_factor p[i]*(1 - p[i]) ; missing_factor 1/(p[i]*(1 - p[i]))
    | Gradient with respect to the logit.
bce_positive_part | missing_term (1 - t[i])/((1 - p[i])*n) | Only the part of t log p.
bce_one_sided | missing_factor 1/(1 - p[i]) ; extra_factor 1 - p[i] | Not divided by 1 - p.
bce_joined_wrongly | ~sign ; missing_term (1 - t[i])/((1 - p[i])*n) | The second term has the wrong sign.
bce_guarded +value hard | epsilon | 1e-3 added to the denominator.
bce_sum | reduction ; factor n | Not divided by n.
bce_clipped | region Or(p[i] < 1/20, p[i] > 19/20) | p is clipped first, which the formula does not do.

[losses/bce_with_logits.yaml binary grad numpy]
logits | right
logits_chained_twice | extra_factor p[i]*(1 - p[i]) | The chain of the sigmoid applied on top of p - t.
logits_of_probability | missing_factor p[i]*(1 - p[i]) ; extra_factor 1/(p[i]*(1 - p[i]))
    | With respect to the probability.
logits_overflowing | nonfinite ; precision | exp(x)/(1 + exp(x)) is inf/inf at large x.
logits_positive_only | missing_term (1 - t[i])*p[i]/n | Only the positive part.
logits_hard_labels hard | ~region And(0 < t[i], t[i] < 1) | Soft targets are rounded.
logits_sign +value | sign | t - p.
logits_signs_as_labels hard | ~region And(0 < t[i], t[i] < 1) | Right for labels 0 and 1 only.

[losses/focal_binary.yaml binary grad numpy]
focal | right
focal_weight_detached
    | missing_term g*(t[i]*p[i]*(1 - p[i])**g*log(p[i]) - (1 - t[i])*(1 - p[i])*p[i]**g*log(1 - p[i]))/n
    | The focusing weight is taken for a constant.
focal_exponent_forgotten | ~missing_factor g | g is missing before the logarithms.
focal_of_probability | missing_factor p[i]*(1 - p[i]) ; extra_factor 1/(p[i]*(1 - p[i]))
    | With respect to the probability.
focal_no_negatives | missing_term (1 - t[i])*p[i]**g*(p[i] - g*(1 - p[i])*log(1 - p[i]))/n | The term of the negatives.
focal_sign | sign | Everything negated.
focal_log_of_rounded | nonfinite ; precision | log(1 - p) with p rounded to 1: nan.

[losses/dice.yaml binary grad numpy]
dice | right
dice_numerator_only | missing_term (2*a[i] + eps)/(n*(b[i] + eps)**2) | The denominator's derivative.
dice_over_everything | wrong_axis | Sums over the batch too.
dice_over_batch | wrong_axis | Sums over the batch, not the row.
dice_without_smoothing | epsilon | eps is missing.
dice_single_denominator | missing_factor 1/(b[i] + eps) ; extra_factor b[i] + eps | Divided by the denominator once.
dice_per_entry +value | factor 1/c | Divided by n c.

[losses/dpo.yaml binary grad numpy]
dpo | right
dpo_beta_inside_only | missing_factor beta ; factor 10 ; factor 1/beta | beta of the chain missing.
dpo_same_direction | sign @l | The rejected answer is pulled up too.
dpo_without_reference | - | The reference model is left out.
dpo_sum +value | reduction ; factor n | Not divided by n.
dpo_sigmoid_of_margin hard | ~extra_factor exp(h[i]) | sigmoid(h) for sigmoid(-h).
dpo_sigmoid_differentiated | extra_factor sigmoid(h[i])
    | s (1 - s) for 1 - s: derivative of the sigmoid, not of its log.

[losses/softmax_cross_entropy.yaml classification function torch]
SoftmaxCrossEntropy | right
CrossEntropyUpstreamLost | upstream ignored | grad_output is not used.
CrossEntropyUpstreamTwice | upstream twice | grad_output is multiplied in twice.
CrossEntropyDividedByEntries | factor 1/c | Divided by numel.
CrossEntropyOverBatch | wrong_axis | Softmax over the batch in backward.

[losses/softmax_cross_entropy.yaml classification grad numpy]
softmax_ce | right
softmax_ce_uncoupled | missing_term y[i, j]*(1 - t[i, j])/n | Only the diagonal of the softmax's Jacobian.
softmax_ce_without_shift | nonfinite ; precision | exp of raw logits: nan at large ones.
softmax_ce_through_softmax_twice | - | The softmax's Jacobian on top of y - t.

[losses/cross_entropy_weighted.yaml classification grad numpy]
weighted | right
weighted_by_count | reduction ; extra_factor Sum(v[k], k)/Sum(where(m[k], 1, 0), k)
    | Divided by the number of targets, not by their weights.
weighted_not_at_all | missing_factor w[t[i]] | Weight of the target missing.
weighted_by_column | ~wrong_axis ; extra_factor w[j]/w[t[i]] | Weight of the column, not of the target.
weighted_mask_forgotten | region Not(m[i]) | Masked targets have a gradient.
weighted_mask_only_in_target | region Not(m[i]) | Masked rows keep the softmax's part.
weighted_sum +value | reduction ; factor Sum(v[k], k) | Not divided by the sum of weights.

[losses/label_smoothing.yaml classification grad numpy]
smoothing | right
smoothing_over_others | - | eps is spread over the other classes only.
smoothing_uniform_missing | missing_term -eps/(c*n) | The uniform part.
smoothing_ignored | ~missing_term | Hard target: eps ignored.
smoothing_sign +value | sign | q - y.
smoothing_softmax_forgotten | missing_term y[i, j]/n | No derivative of the normalizer.

[losses/kl_divergence.yaml classification grad torch]
kl | right
kl_backwards | sign | t - q.
kl_only_present | region t[i, j] == 0 | Zero where the target is zero.
kl_batchmean_confused | wrong_axis | Averaged over the batch, then handed to each row.
kl_elementwise_mean +value | factor 1/c | Divided by n c.
kl_of_probabilities | - | With respect to the probabilities.

[losses/info_nce.yaml classification grad numpy]
info_nce | right
info_nce_keys_not_transposed | transposed @k | d @ q for d.T @ q.
info_nce_temperature_forgotten | missing_factor 1/tau ; factor tau ; factor 1/10 | 1/tau of the chain missing.
info_nce_temperature_times | factor tau**2 ; extra_factor tau**2 ; factor 1/100 | Times tau for divided by it.
info_nce_without_positive | missing_term -k[i, a]/(tau*n) @q ; missing_term -q[j, a]/(tau*n) @k
    | The identity not subtracted.
info_nce_keys_without_softmax | missing_term Sum(p[i, j]*q[i, a], i)/(tau*n) @k | Keys only as positives.
info_nce_over_queries | wrong_axis | Softmax over the queries.

[losses/triplet_margin.yaml metric grad numpy]
triplet | right
triplet_of_squares | ~extra_factor 2*u[i] @p ; extra_factor 2*v[i] @q | Not divided by the distances, times 2.
triplet_always | region u[i] - v[i] + margin <= 0 | The relu's mask is missing.
triplet_margin_forgotten | region And(-margin < u[i] - v[i], u[i] - v[i] <= 0) ; missing_term margin
    | The mask forgets the margin. (margin dropped says that.)
triplet_anchor_half | missing_term -where(u[i] - v[i] + margin > 0, (a[i, k] - q[i, k])/v[i], 0)/n @a
    | The negative's part of the anchor.
triplet_negative_sign | sign @q | Sign of the negative.
triplet_nan_at_zero | nonfinite ; kink u[i] == 0 | 0/0 where anchor and positive are equal.

[losses/contrastive.yaml metric grad numpy]
contrastive | right
contrastive_not_normalized | ~missing_factor 1/e[i] | The push is not divided by the distance.
contrastive_without_relu | region e[i] > margin | Pairs beyond the margin are pulled back.
contrastive_only_attraction | missing_term -(1 - t[i])*relu(margin - e[i])/e[i]*(a[i, k] - b[i, k])/n | No push.
contrastive_twice | factor 2 | The 1/2 forgotten.
contrastive_b_like_a | sign @b | b has a's sign.

[losses/barlow_twins.yaml metric grad torch]
barlow | right
barlow_transposed | transposed @a,b | C.T for C in both.
barlow_not_divided | factor n ; reduction | 1/n of C missing.
barlow_without_two | factor 1/2 | The 2 of the squares missing.
barlow_diagonal_only | missing_term 2*lam*Sum(where(j == k, 0, b[i, k]*C[j, k]), k)/n | No redundancy term.
barlow_lambda_forgotten | ~missing_factor lam | lam missing in the redundancy term.

[losses/vae_elbo.yaml metric grad torch]
elbo | right
elbo_variance_not_halved | factor 2 @s | The 1/2 of the divergence missing.
elbo_variance_without_one | missing_term -beta/(2*n) @s | Derivative of -s.
elbo_beta_forgotten beta=0.5 | missing_factor beta @m,s ; factor 2 @m,s | beta missing.
elbo_pixels_averaged | factor 1/d @x | Mean over pixels.
elbo_prior_pushes_away | sign @m | Sign of the mean's gradient.
elbo_cancelling hard | precision @s | exp(s) - 1 near 0.

[layers/cosine_similarity.yaml metric function torch]
Cosine | right
CosineNormsDetached | missing_term -dy[...]*y[...]*x[..., k]/a[...]**2 @x ; missing_term @z
    | The norms taken for constants.
CosineLengthForgotten | missing_factor 1/a[...] @x ; missing_factor 1/b[...] @z | The last division missing.
CosineUpstreamLost | upstream ignored | dy is not used.
CosineProjectionAdded | ~sign ; missing_term | The projection is added.
CosineLengthsSwapped hard | extra_factor a[...]/b[...] @x ; extra_factor b[...]/a[...] @z
    | Divided by the other's length.
"""

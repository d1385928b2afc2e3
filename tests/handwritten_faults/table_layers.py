"""Rows of `table.py` for activations and layers; its docstring says how they are read."""

ROWS = """
[activations/softplus.yaml activations grad numpy]
softplus | right
softplus_beta_outside beta=2.0 | extra_factor beta ; factor 2 | beta of the chain, which 1/beta cancels.
softplus_beta_divided beta=2.0 | extra_factor 1/beta ; factor 1/2 ; missing_factor beta
    | The outer 1/beta, not cancelled.
softplus_second | extra_factor 1 - sigmoid(beta*x[...]) | Derivative of the sigmoid.
softplus_exploding | nonfinite ; precision | inf/inf.
softplus_threshold | region beta*x[...] > 5 | Exactly 1 beyond a threshold.
softplus_upstream_lost | upstream ignored | dy is not used.
softplus_one_minus hard | precision | 1 - 1/(1 + e^x) is 0 at negative x.

[activations/silu.yaml activations function torch]
SiLU | right
SiLUWithoutGate | missing_term dy[...]*s[...] | First half of the product rule.
SiLUGateOnly | missing_term dy[...]*x[...]*s[...]*(1 - s[...]) | Second half of the product rule.
SiLUOfOutput | ~extra_term 2*dy[...]*y[...]*s[...] ; sign | 1 + y for 1 - y.
SiLUUpstreamLost | upstream ignored | dy is not used.
SiLUUpstreamTwice | upstream twice | dy is multiplied in twice.
SiLUMinus | ~sign ; missing_term | 1 - x (1 - s) for 1 + x (1 - s).

[activations/hard_swish.yaml activations function torch]
HardSwish | right
HardSwishUnclipped | region Abs(x[...]) > 3 | The middle part everywhere.
HardSwishDeadAbove | region x[...] > 3 | 0 for 1 above.
HardSwishSlope | region Abs(x[...]) <= 3 ; missing_term dy[...]*where(Abs(x[...]) <= 3, x[...], 0)/6
    | x/6 for x/3. (Half of the product rule is missing.)
HardSwishHalf | factor 1/2 | Half of everything.
HardSwishOpenBorder hard | kink Abs(x[...]) == 3 | < for <= at the borders.

[activations/gelu_tanh.yaml activations grad torch]
gelu | right
gelu_cube_forgotten | ~missing_factor 1 + 3*0.044715*x[...]**2 ; missing_term | Derivative of the cube missing.
gelu_three_forgotten | ~missing_factor 3 ; missing_term | The 3 of the cube's derivative.
gelu_root_forgotten | ~missing_factor sqrt(2/pi) | The inner factor of one term.
gelu_gate_only | missing_term dy[...]*x[...]*(1 - t[...]**2)*sqrt(2/pi)*(1 + 3*0.044715*x[...]**2)/2 | No second term.
gelu_without_half | factor 2 | The 1/2 missing.

[activations/prelu.yaml activations grad numpy]
prelu | right
prelu_slope_of_all | extra_term Sum(where(x[..., j] > 0, dy[..., j]*x[..., j], 0), ...) @a ; region x[..., j] > 0 @a
    | Positive x count too. (The condition under the sum is left out.)
prelu_slope_of_positive | ~region @a | The slope learns from the positive x.
prelu_slope_not_summed | wrong_axis @a ; shape @a | Not summed over the batch.
prelu_shared_slope | wrong_axis @a | Summed over channels too.
prelu_dead | region x[..., j] <= 0 @x ; missing_term | 0 for a where x is negative.
prelu_zero_is_positive | kink x[..., j] == 0 @x | >= for >.
prelu_slope_mean | factor 1/Sum(1, ...) @a ; reduction @a | Mean over the batch.

[activations/leaky_relu.yaml activations grad numpy]
leaky | right
leaky_of_upstream | ~region x[...]*dy[...] <= 0 | The mask is of dy, not of x.
leaky_negative_slope | region x[...] <= 0 | -slope.
leaky_zero | kink x[...] == 0 | < for <=.
leaky_inverse | - | The branches are swapped.
leaky_relu_only | region x[...] <= 0 | 0 for the slope.

[layers/linear.yaml layers function torch]
Linear | right
LinearWeightTransposed | transposed @W ; shape @W ; error | x.T @ dy, which torch itself refuses unless square.
LinearBiasMean | factor 1/Sum(1, ...) @b ; reduction @b | Mean over the batch.
LinearUpstreamLost | upstream ignored | Ones for dy.

[layers/linear.yaml layers grad numpy]
linear_bias_not_summed | wrong_axis @b ; shape @b | dy itself.
linear_bias_over_outputs | wrong_axis @b | Summed over the outputs too.
linear_weight_averaged | factor 1/Sum(1, ...) @W ; reduction @W | Mean over the batch.
linear_first_of_batch | ~wrong_axis @W ; missing_term @W | = for +=: the last of the batch only.

[layers/bilinear.yaml layers grad numpy]
bilinear | right
bilinear_weight_transposed | transposed @W ; shape @W | The two inputs' axes swapped.
bilinear_doubled | factor 2 | Everything twice.
bilinear_upstream_summed | wrong_axis @x | dy is summed over the outputs first.
bilinear_z_without_x hard | missing_factor x[..., k] @z | x missing within the sum.
bilinear_sign_of_z | sign @z | Sign.

[layers/conv1d.yaml layers grad numpy]
conv | right
conv_kernel_not_flipped | ~transposed @x | Taps in the wrong order.
conv_weight_flipped | ~transposed @W | Taps in the wrong order.
conv_bias_over_positions_mean | factor 1/(l - r + 1) @b ; reduction @b | Mean over positions.
conv_last_tap_lost | ~missing_term @x | The last tap is left out.
conv_sign_of_weight | sign @W | Sign.
conv_bias_not_summed_over_batch | wrong_axis @b ; shape @b | Not summed over the batch.

[layers/embedding.yaml layers grad numpy]
embedding | right
embedding_repeats_lost hard | ~region ; wrong_axis | grad[ids] += dy keeps the last of repeated rows.
embedding_padding_zero | region t[...] == 0 | Row 0 is taken for padding.
embedding_averaged hard | ~extra_factor 1/Sum(where(t[...] == i, 1, 0), ...) ; region | Mean over the repeats of a row.
embedding_times_table | extra_factor W[i, k] | Times the table.
embedding_batch_mean | factor 1/Sum(1, ...) ; reduction | Mean over the batch.

[layers/swiglu.yaml gates grad numpy]
swiglu | right
swiglu_gate_without_product_rule hard | missing_term @W,x ; missing_factor 1 + a[..., o]*(1 - sigmoid(a[..., o])) @W,x
    | The gate's derivative lacks a s (1 - s).
swiglu_value_branch_lost | missing_term Sum(dy[..., o]*silu(a[..., o])*V[o, k], o) @x | x only through the gate.
swiglu_value_without_gate hard | missing_factor a[..., o] @V | sigmoid for silu.
swiglu_weights_swapped | - | The gradients of W and V are swapped.
swiglu_value_sign | sign @V | Sign.

[layers/attention.yaml gates grad numpy]
attention | right
attention_unscaled | missing_factor 1/sqrt(d) @Q,K ; factor sqrt(d) @Q,K | 1/sqrt(d) of the chain missing.
attention_uncoupled | missing_term Sum(dO[n, i, a]*O[n, i, a], a) @Q,K | The softmax's coupling term.
attention_coupled_over_queries | wrong_axis @Q,K | The coupling sums over queries.
attention_values_without_weights hard | missing_factor P[n, i, j] @V | P missing within the sum.
attention_key_sign | sign @K | Sign.
attention_scaled_by_keys | factor sqrt(d/r) @Q,K ; extra_factor sqrt(d/r) @Q,K | Root of the number of keys.

[layers/softmax.yaml gates grad numpy]
softmax | right
softmax_diagonal_only | missing_term -y[..., j]*Sum(where(k == j, 0, y[..., k]*dy[..., k]), k) | Diagonal only.
softmax_uncoupled | missing_term -y[..., j]*Sum(y[..., k]*dy[..., k], k) | No coupling.
softmax_coupling_unweighted hard | ~missing_factor y[..., k] | y missing in the sum.
softmax_mean_for_sum | ~reduction ; factor 1/c | The coupling is a mean.
softmax_without_shift | nonfinite ; precision | exp of raw logits.
softmax_jacobian_sign | sign | y y' - diag(y).

[layers/rnn_cell.yaml gates grad numpy]
rnn | right
rnn_recurrent_not_transposed hard | transposed @h | U.T for U, both square.
rnn_weight_transposed | transposed @U | Square: no shape tells.
rnn_tanh_forgotten hard | missing_factor 1 - y[..., j]**2 | Derivative of tanh missing.
rnn_tanh_not_squared hard | missing_factor 1 + y[..., j] | 1 - y for 1 - y^2.
rnn_bias_after_tanh hard | missing_factor 1 - y[..., j]**2 @b | Within the sum over the batch.

[layers/layer_norm.yaml norms grad numpy]
layer_norm | right
layer_norm_mean_detached | missing_term -s[...]*Sum(g[l]*dy[..., l], l)/c @x | The mean's term.
layer_norm_variance_detached | missing_term -s[...]*u[..., k]*Sum(g[l]*dy[..., l]*u[..., l], l)/c @x
    | The variance's term.
layer_norm_statistics_detached
    | missing_term -s[...]*(Sum(g[l]*dy[..., l], l) + u[..., k]*Sum(g[l]*dy[..., l]*u[..., l], l))/c @x | Both terms.
layer_norm_gain_forgotten hard | missing_factor g[k] @x | The gain is missing everywhere.
layer_norm_rstd_forgotten | missing_factor s[...] @x | Last division by the deviation.
layer_norm_gain_over_features | wrong_axis @g | Summed over everything.
layer_norm_eps_dropped hard | epsilon | eps missing in the backward.
layer_norm_one_pass_variance | precision ; nonfinite | E[x^2] - E[x]^2.
layer_norm_sum_for_mean | ~reduction @x ; factor c | Sums for means in both terms.

[layers/rms_norm.yaml norms function torch]
RMSNorm | right
RMSNormWeightTwice | extra_factor g[k] @x | The gain applied twice.
RMSNormScaleDetached | missing_term -s[...]*u[..., k]*Sum(g[l]*dy[..., l]*u[..., l], l)/c @x | The scale's term.
RMSNormSumForMean | ~reduction @x ; factor c | A sum for a mean.
RMSNormWeightNotSummed | wrong_axis @g | The first row's only.
RMSNormUpstreamLost | upstream ignored | Ones for dy.

[layers/rms_norm.yaml norms grad numpy]
rms_norm_cube_not_square | ~missing_factor s[...] @x | s^2 for s^3 in the second term.
rms_norm_eps_outside hard | epsilon | eps outside of the root.
rms_norm_weight_from_input hard | missing_factor s[...] @g | x for u.

[layers/batch_norm.yaml norms grad numpy]
batch_norm | right
batch_norm_as_in_inference | missing_term -g[k]*s[k]*(Sum(dy[l, k], l) + u[i, k]*Sum(dy[l, k]*u[l, k], l))/n @x
    | Statistics taken for constants.
batch_norm_staged_variance_sign | ~sign @x | The variance's part has the wrong sign.
batch_norm_staged_mean_lost | missing_term -g[k]*s[k]*Sum(dy[l, k], l)/n @x | The mean's part.
batch_norm_along_features | wrong_axis @x | Means over features.
batch_norm_unbiased | - | Variance over n - 1.
batch_norm_gain_twice | extra_factor g[k] @x | The gain applied twice.
batch_norm_gain_averaged | factor 1/n @g,b ; reduction @g,b | Means for sums.
"""

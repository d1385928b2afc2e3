"""Rows of `table.py` for matrices and layers."""

ROWS = """
[second/matrix_factorization.yaml second.matrices grad numpy]
factorization | right
factorization_not_transposed | transposed @V ; error ; shape | e @ U for e.T @ U.
factorization_unknown_as_known hard | region Not(k[i, j]) ; extra_term | The mask is forgotten, within the sum.
factorization_penalty_doubled | factor 2 ; extra_term lam*U[i, l] @U ; extra_term lam*V[j, l] @V
    | 2 lam, in one term.
factorization_penalty_each_time hard | extra_factor Sum(where(k[i, j], 1, 0), j) @U | The penalty once a rating.
factorization_items_pushed | sign @V ; missing_term @V | Sign of one term.

[second/mahalanobis.yaml second.matrices grad numpy]
mahalanobis | right
mahalanobis_same_side | sign @z | z has x's sign.
mahalanobis_map_of_rows | transposed @M ; shape @M | The outer product the other way.
mahalanobis_doubled | factor 2 | The 1/2 forgotten.
mahalanobis_map_summed | reduction @M ; factor n @M | Not divided by n.

[second/sharpe.yaml second.matrices grad numpy]
sharpe | right
sharpe_risk_constant | missing_term a*Sum(S[k, l]*w[l], l)/(v + 1)**(3/2) | The risk is taken for a constant.
sharpe_risk_doubled | factor 2 ; extra_term a*Sum(S[k, l]*w[l], l)/(v + 1)**(3/2)
    | The 1/2 of the root, in one term.
sharpe_ascent | sign | Sign.
sharpe_power_of_risk hard | missing_factor 1/(v + 1) ; extra_factor v + 1 | In one term.

[second/gaussian_precision.yaml second.matrices grad torch]
precision | right
precision_normalizer_only | missing_term -Sum(inv(S)[k, i]*r[k], k)*Sum(inv(S)[j, l]*r[l], l) @S
    | Only the determinant's.
precision_towards | sign @m | Sign.
precision_mean_halved | factor 1/2 @m ; missing_term @m | One of the two halves, equal where S is symmetric.
precision_sandwich_open hard | missing_factor inv(S) @S | One inverse missing, in one term.

[second/ica.yaml second.matrices grad numpy]
ica | right
ica_inverse hard | transposed | In one term.
ica_natural | - | The natural gradient.
ica_collapsing | sign ; missing_term | Sign of the determinant's term.
ica_summed | factor n ; reduction | Not divided by n, in one term.
ica_without_volume | missing_term -inv(W)[l, k] | The determinant's term.

[second/laplacian.yaml second.matrices grad numpy]
laplacian | right
laplacian_undirected | transposed ; missing_term | L for (L + L')/2.
laplacian_backwards | transposed ; missing_term | L' for (L + L')/2.
laplacian_half_forgotten | factor 2 ; extra_term | The 1/2, in one term.

[second/skip_gram.yaml second.matrices grad numpy]
skip_gram | right
skip_gram_last_one_wins hard | ~region ; wrong_axis | Repeated rows keep the last.
skip_gram_negatives_attract | sign ; missing_term | Sign of the negatives' term.
skip_gram_negatives_frozen | missing_term @C | Contexts drawn are not moved.
skip_gram_label_forgotten | missing_term | sigmoid(a) for sigmoid(a) - 1.

[second/center.yaml second.matrices function torch]
Center | right
CenterAveraged hard | extra_factor 1/(1 + Sum(where(t[i] == j, 1, 0), i)) @C | Averaged, as the paper has it.
CenterPushed | sign @C | Sign.
CenterUpstreamTwice | upstream twice | Multiplied in twice.

[matrix/log_determinant_of_gram.yaml second.matrices_known grad numpy]
gram_logdet | right
gram_logdet_once | factor 1/2 | The 2 missing.
gram_logdet_pseudo_inverse | transposed ; shape | pinv(X) for its transpose.
gram_logdet_not_inverted | - | The inverse is forgotten.

[matrix/frobenius_norm.yaml second.matrices_known grad numpy]
frobenius | right
frobenius_squared | extra_factor 2*norm(X) | Gradient of the square.
frobenius_columns | wrong_axis | The norms of the columns.

[matrix/trace_inverse_shifted.yaml second.matrices_known grad numpy]
inverse_trace | right
inverse_trace_not_transposed | transposed | Not transposed.
inverse_trace_single hard | missing_factor inv(X + A) | inv for its square.
inverse_trace_gram | transposed | One of the two is transposed.

[second/swish.yaml second.layers grad numpy]
swish | right
swish_steepness_once hard | missing_factor b[k] @x | b of the chain, in one term.
swish_b_by_one_x hard | missing_factor x[..., k] @b | x for x^2, within the sum.
swish_b_of_each | wrong_axis @b ; shape @b | Not summed over the batch.
swish_one_b | wrong_axis @b | Summed over channels too.

[second/scaled_unit.yaml second.layers grad numpy]
unit | right
unit_length_constant | missing_term -g*r[...]**3*x[..., k]*Sum(dy[..., l]*x[..., l], l) @x
    | The length is taken for a constant.
unit_projection_of_x hard | missing_factor r[...]**2 @x | r^2 missing in one term.
unit_gain_twice | extra_factor g @x ; factor g @x | The gain applied twice.
unit_gain_of_raw_rows hard | missing_factor r[...] @g | r missing within the sum.
unit_eps_beside_root | epsilon | 1/(norm + eps).
unit_mean_for_sum | factor 1/d @x ; reduction @x | Mean for sum in the second term.

[second/highway.yaml second.layers grad numpy]
highway | right
highway_carry_forgotten | missing_term dy[..., o]*(1 - s[..., o]) @x | The way past the layer.
highway_gate_opens_only | missing_term @W,b,x | The gate's part of 1 - s.
highway_tanh_straight hard | missing_factor 1 - h[..., o]**2 @V,x | Derivative of tanh missing.
highway_gate_not_transposed hard | transposed @x | W.T for W, square.

[second/squeeze_excite.yaml second.layers grad numpy]
excite | right
excite_gate_constant | missing_term @x | The gate is taken for a constant.
excite_pool_summed | factor l @x ; missing_factor 1/l @x ; reduction @x | 1/l of the mean, in one term.
excite_weight_transposed | transposed @W | Square: no shape tells.
excite_upstream_averaged | factor 1/l @W,x ; reduction @W,x | Mean for sum over the positions.
excite_back_not_transposed hard | transposed @x | W.T for W, square.

[second/attention_pool.yaml second.layers grad torch]
pool | right
pool_uncoupled | missing_term | The softmax's coupling.
pool_values_only | missing_term @h | Not through the attention.
pool_tanh_straight hard | missing_factor 1 - tanh(h[i, j, k])**2 @h | Derivative of tanh, in one term.
pool_coupled_over_batch | wrong_axis | The coupling sums over the batch.
pool_query_averaged | factor 1/n @v ; reduction @v | Mean over the batch.

[second/lora.yaml second.layers function torch]
Lora | right
LoraUnscaled | missing_factor alpha/r @A,B ; factor r/alpha @A,B | The scale is missing.
LoraFrozenPartBlocks | missing_term Sum(dy[..., o]*W[o, k], o) @x | x only through the low rank.
LoraScaledTwice | extra_factor alpha/r @A ; factor alpha/r @A | The scale squared.

[layers/factorization_machine.yaml second.layers_known grad numpy]
machine | right
machine_squares_forgotten | missing_term -V[i, k]*Sum(dy[...]*x[..., i]**2, ...) @V
    | The second half of the interaction.
machine_bias_averaged | factor 1/Sum(1, ...) @w0 ; reduction @w0 | Mean over the batch.
machine_linear_only | missing_term dy[...]*Sum(V[i, k]*(s[..., k] - V[i, k]*x[..., i]), k) @x | No interactions.

[layers/rbf.yaml second.layers_known grad numpy]
radial | right
radial_two_forgotten | factor 1/2 @x,c | The 2 of the square.
radial_centres_pushed | sign @c | c has x's sign.
radial_exponential_forgotten hard | missing_factor y[..., j] @b | The exponential missing, within the sum.

[activations/mish.yaml second.layers_known function torch]
Mish | right
MishSoftplusStraight hard | missing_factor sigmoid(x[...]) | Derivative of softplus, in one term.
MishInFloat | precision | In float32.
MishUpstreamSquared | upstream twice | Multiplied in twice.

[activations/elu.yaml second.layers_known grad numpy]
elu | right
elu_alpha_forgotten alpha=0.5 | region x[...] <= 0 ; missing_factor alpha ; factor 2 | alpha missing.
elu_of_output | region x[...] <= 0 ; missing_term | y for y + alpha.
elu_zero_is_positive alpha=0.5 | kink x[...] == 0 | >= for >.

[layers/layer_norm.yaml second.layers_known function torch]
LayerNorm | right
LayerNormUnbiased | factor c/(c - 1) @x | Divided by c - 1 in one term.
LayerNormOverRows | wrong_axis @x | One mean is of the batch.
LayerNormGainAfterMeans hard | ~missing_factor @x | The gain is multiplied in after the means.

[layers/avg_pool2d.yaml second.layers_known grad numpy]
mean_pool | right
mean_pool_not_divided | factor k**2 ; factor 4 ; missing_factor 1/k**2 ; reduction | Not divided by the window.
mean_pool_divided_by_side | factor k ; factor 2 ; missing_factor 1/k | Divided by k.
mean_pool_first_of_window | region ; missing_term | Only the first of each window.
"""

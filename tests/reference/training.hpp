// Written by tests/reference/training.py with torch 1.13.0a0 in float64. Do not edit.
// SPDX-License-Identifier: MIT
// clang-format off
#pragma once

// Windows: `windows` of them, `length` rows each, one every `stride` rows from the first data row of the file; every
// column is scaled by the mean and the deviation (divided by n) of the rows that the windows span. A step takes the first
// `..._batch` windows, with sample id = window and epoch = step, from 0. `..._start` is the sum over all parameters of
// p[i] cos(i); `..._losses` are those met in steps 1, 10, 50 and 100, before the parameters change.

namespace untoward::reference {

// The runs.
inline constexpr int training_windows = 32;
inline constexpr int training_length = 64;
inline constexpr int training_stride = 100;
inline constexpr int training_steps = 100;
inline constexpr int training_seed = 11;
inline constexpr int training_noise_seed = 5;
inline constexpr double training_rate = 0.005;

// Single numbers of the noise, for whoever looks for a difference: uniform and normal, element 6 of sample 3
// in epoch 2, at the site of the first request in layer encoder.2.dropout1.
inline constexpr double training_uniform = 0.10929708566982299;
inline constexpr double training_normal = -0.18565181755640364;

// Dense layers with ReLU, 64 and 32 wide on each side, on 32 made-up samples of 30 features: made_up() in training.py,
//     made_up_windows() in tests/nn/training.hpp.
inline constexpr int made_up_features = 30;
inline constexpr int relu_made_up_batch = 32;
inline constexpr int relu_made_up_parameters = 8580;
inline constexpr double relu_made_up_start = -12.2563857741336;
inline constexpr double relu_made_up_losses[] = {  // (4)
    36.431835172456736, 35.68763728771128, 29.147459001180103, 25.59734003113365,
};

// Twelve residual dense layers, six on each side.
inline constexpr int residual_skab_batch = 32;
inline constexpr int residual_skab_parameters = 46920;
inline constexpr double residual_skab_start = 14.712222183284485;
inline constexpr double residual_skab_losses[] = {  // (4)
    817.2379991481124, 685.3093511656815, 562.086736499794, 504.07668704070414,
};
inline constexpr int residual_nab_batch = 32;
inline constexpr int residual_nab_parameters = 17352;
inline constexpr double residual_nab_start = -2.8635275508017437;
inline constexpr double residual_nab_losses[] = {  // (4)
    104.08891048621138, 81.96885205873137, 65.17307488365246, 55.460674488089694,
};

// An LSTM over 64 steps on each side.
inline constexpr int lstm_skab_batch = 8;
inline constexpr int lstm_skab_parameters = 3856;
inline constexpr double lstm_skab_start = -11.723543040979735;
inline constexpr double lstm_skab_losses[] = {  // (4)
    832.1546918164588, 753.7076655939217, 583.7557910072628, 539.1348482371911,
};
inline constexpr int lstm_nab_batch = 8;
inline constexpr int lstm_nab_parameters = 2841;
inline constexpr double lstm_nab_start = 0.2885878762083416;
inline constexpr double lstm_nab_losses[] = {  // (4)
    93.490825230738, 91.86611696438386, 89.21833673183241, 89.50685622593437,
};

// A transformer block of four heads on each side, with dropout.
inline constexpr int attention_skab_batch = 8;
inline constexpr int attention_skab_parameters = 13520;
inline constexpr double attention_skab_start = 2.905877157465459;
inline constexpr double attention_skab_losses[] = {  // (4)
    823.3641036350235, 661.6385846332128, 589.1543508099104, 544.8640140796746,
};
inline constexpr int attention_nab_batch = 8;
inline constexpr int attention_nab_parameters = 12841;
inline constexpr double attention_nab_start = -11.003376077064976;
inline constexpr double attention_nab_losses[] = {  // (4)
    108.90216264733499, 106.53499130906164, 90.24364313677917, 79.57163080262632,
};

}  // namespace untoward::reference

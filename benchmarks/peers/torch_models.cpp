// SPDX-License-Identifier: MIT
#include "torch_models.hpp"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/torch.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <utility>

#include "support/peak.hpp"

namespace bench::peer {

namespace {

using torch::Tensor;

struct Output {
    Tensor mean;          // of the posterior
    Tensor log_variance;  // of the posterior
    Tensor decoded;       // means, or logits
};

Tensor latent_draw(const Tensor& mean, const Tensor& log_variance, const Tensor& noise) {
    return mean + torch::exp(0.5 * log_variance) * noise;
}

// 32-128-64-(8)-64-128-32 and its like.
struct DenseNetwork : torch::nn::Module {
    DenseNetwork(long features, long wide, long narrow, long latent, bool has_logits)
        : units(latent), logits(has_logits) {
        // In the library's order of parameters.
        e0 = register_module("e0", torch::nn::Linear(features, wide));
        e1 = register_module("e1", torch::nn::Linear(wide, narrow));
        heads = register_module("heads", torch::nn::Linear(narrow, 2 * units));
        d0 = register_module("d0", torch::nn::Linear(units, narrow));
        d1 = register_module("d1", torch::nn::Linear(narrow, wide));
        out = register_module("out", torch::nn::Linear(wide, features));
        sample = {features};
    }
    std::pair<Tensor, Tensor> encode(const Tensor& x) {
        const auto both = heads(torch::relu(e1(torch::relu(e0(x))))).chunk(2, 1);
        return {both[0], both[1]};
    }
    Tensor decode(const Tensor& z) { return out(torch::relu(d1(torch::relu(d0(z))))); }

    torch::nn::Linear e0{nullptr}, e1{nullptr}, heads{nullptr}, d0{nullptr}, d1{nullptr}, out{nullptr};
    long units;
    bool logits;
    std::vector<long> sample;
};

// Windows of 32 steps of 4 channels.
struct GruNetwork : torch::nn::Module {
    static constexpr long steps = 32, channels = 4, hidden = 32;

    GruNetwork() {
        const auto options = [](long in) { return torch::nn::GRUOptions(in, hidden).batch_first(true); };
        encoder = register_module("encoder", torch::nn::GRU(options(channels)));
        heads = register_module("heads", torch::nn::Linear(hidden, 2 * units));
        decoder = register_module("decoder", torch::nn::GRU(options(units)));
        out = register_module("out", torch::nn::Linear(hidden, channels));
    }
    std::pair<Tensor, Tensor> encode(const Tensor& x) {
        const Tensor last = std::get<0>(encoder(x)).select(1, steps - 1);
        const auto both = heads(last).chunk(2, 1);
        return {both[0], both[1]};
    }
    Tensor decode(const Tensor& z) {
        return out(std::get<0>(decoder(z.unsqueeze(1).expand({z.size(0), steps, units}))));
    }

    torch::nn::GRU encoder{nullptr}, decoder{nullptr};
    torch::nn::Linear heads{nullptr}, out{nullptr};
    static constexpr long units = 8;
    static constexpr bool logits = false;
    std::vector<long> sample{steps, channels};
};

template <class Network>
class TorchModel final : public Model {
public:
    template <class... Arguments>
    explicit TorchModel(Arguments... arguments)
        : network_(arguments...), optimiser_(network_.parameters(), torch::optim::AdamOptions(1e-4)) {}

    bool set_parameters(const float* values, long size) override {
        torch::NoGradGuard no_gradient;
        long total = 0;
        for (const Tensor& parameter : network_.parameters()) total += parameter.numel();
        if (total != size) return false;
        for (Tensor parameter : network_.parameters()) {
            parameter.copy_(torch::from_blob(const_cast<float*>(values), parameter.sizes()));
            values += parameter.numel();
        }
        return true;
    }
    void set_rows(float* rows, long n) override {
        std::vector<long> shape = network_.sample;
        shape.insert(shape.begin(), n);
        rows_ = torch::from_blob(rows, shape);
    }
    Gradient gradient(long batch, const float* noise) override {
        forget_gradients();
        const Tensor given = torch::from_blob(const_cast<float*>(noise), {batch, network_.units});
        const Tensor loss = loss_of(rows_.narrow(0, 0, batch), given);
        loss.backward();
        Gradient result{loss.item<double>()};
        for (const Tensor& parameter : network_.parameters()) {
            const Tensor flat = parameter.grad().contiguous();
            result.values.insert(result.values.end(), flat.data_ptr<float>(),
                                 flat.data_ptr<float>() + flat.numel());
        }
        return result;
    }
    float step(long batch, bool whole) override {
        if (next_ + batch > rows_.size(0)) next_ = 0;
        if (whole && next_ == 0) order_ = torch::randperm(rows_.size(0));
        const Tensor x =
            whole ? rows_.index_select(0, order_.narrow(0, next_, batch)) : rows_.narrow(0, next_, batch);
        next_ += batch;
        // zero_grad() of this version writes zeros, and backward then adds to them.
        if (whole)
            optimiser_.zero_grad();
        else
            forget_gradients();
        const Tensor loss = loss_of(x, torch::randn({batch, network_.units}), whole);
        loss.backward();
        if (whole) torch::nn::utils::clip_grad_norm_(network_.parameters(), 1000);
        optimiser_.step();
        return loss.item<float>();
    }
    void score(long begin, long rows, long in_one_call, float* scores) override {
        const c10::InferenceMode inference;
        const Tensor to = torch::from_blob(scores, {rows});
        for (long i = 0; i < rows; i += in_one_call) {
            const long n = std::min(in_one_call, rows - i);
            const Tensor x = rows_.narrow(0, begin + i, n);
            const auto [mean, log_variance] = network_.encode(x);
            Tensor decoded = network_.decode(mean);
            if (network_.logits) decoded = torch::sigmoid(decoded);
            const Tensor error = (x - decoded).square().flatten(1).sum(1);
            const Tensor kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1);
            to.narrow(0, i, n).copy_(error + kl);
        }
    }

private:
    void forget_gradients() {
        for (const Tensor& parameter : network_.parameters()) parameter.mutable_grad() = Tensor();
    }
    Tensor loss_of(const Tensor& x, const Tensor& noise, bool bounded = false) {
        auto [mean, log_variance] = network_.encode(x);
        if (bounded) log_variance = log_variance.clamp(-12, 6);
        const Tensor decoded = network_.decode(latent_draw(mean, log_variance, noise));
        const Tensor misfit =
            network_.logits ? torch::binary_cross_entropy_with_logits(decoded, x, {}, {}, at::Reduction::Sum)
                            : 0.5 * torch::mse_loss(decoded, x, at::Reduction::Sum);
        const Tensor kl = -0.5 * torch::sum(1 + log_variance - mean.square() - log_variance.exp());
        return (misfit + kl) / x.size(0);
    }

    Network network_;
    torch::optim::Adam optimiser_;
    Tensor rows_;
    Tensor order_;
    long next_ = 0;
};

std::string real_path(const char* path) {
    char buffer[PATH_MAX];
    return realpath(path, buffer) != nullptr ? buffer : path;
}

}  // namespace

std::unique_ptr<Model> table_model() {
    return std::make_unique<TorchModel<DenseNetwork>>(32, 128, 64, 8, false);
}
std::unique_ptr<Model> image_model() {
    return std::make_unique<TorchModel<DenseNetwork>>(784, 512, 256, 32, true);
}
std::unique_ptr<Model> window_model() {
    return std::make_unique<TorchModel<GruNetwork>>();
}

void use_one_thread() {
    at::set_num_threads(1);
    at::set_num_interop_threads(1);
}

Setup setup() {
    Setup result;
    // Several libraries that are loaded may have a sgemm_; libtorch calls the first.
    void* const sgemm = dlsym(RTLD_DEFAULT, "sgemm_");
    Dl_info where{};
    if (sgemm == nullptr || dladdr(sgemm, &where) == 0 || where.dli_fname == nullptr)
        result.blas_problem = "no sgemm_ is loaded";
    else
        result.blas_file = real_path(where.dli_fname);
    const auto ask = [](const char* name) {
        const auto function = reinterpret_cast<char* (*)()>(dlsym(RTLD_DEFAULT, name));
        return function != nullptr ? std::string(function()) : std::string();
    };
    const std::string core = ask("openblas_get_corename");
    if (result.blas_problem.empty() &&
        (result.blas_file.find("openblas") == std::string::npos || core.empty()))
        result.blas_problem = "libtorch's matrix products are those of " + result.blas_file +
                              ", not of OpenBLAS (Debian: libopenblas0-pthread)";

    constexpr long n = 512;
    const c10::InferenceMode inference;
    const Tensor a = torch::rand({n, n});
    const Tensor b = torch::rand({n, n});
    for (int i = 0; i < 5; ++i) {
        const double start = thread_seconds();
        const Tensor c = torch::mm(a, b);
        result.sgemm = std::max(result.sgemm, 2e-9 * n * n * n / (thread_seconds() - start));
    }
    // The reference has a hundredth of the peak, AVX2 on a machine of AVX-512 a good third.
    if (result.blas_problem.empty() && result.sgemm < 0.1 * fma_peak(untoward::available_instruction_set()))
        result.blas_problem =
            result.blas_file + " multiplies at " + std::to_string(result.sgemm) + " GFLOP/s only";
    const char* const aten = std::getenv("ATEN_CPU_CAPABILITY");
    result.text = std::string("libtorch ") + TORCH_VERSION + ", ATEN_CPU_CAPABILITY " +
                  (aten != nullptr ? aten : "not set") + "; " + ask("openblas_get_config") + ", core " + core;
    return result;
}

}  // namespace bench::peer

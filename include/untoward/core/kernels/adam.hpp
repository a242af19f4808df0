// SPDX-License-Identifier: MIT
// Adam's step over whole vectors: see train/adam.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

template <class S>
__attribute__((flatten)) void adam(const AdamVectors<S>& a) {
    const S* from[] = {a.parameters, a.first, a.second, a.gradient};
    S* to[] = {a.parameters, a.first, a.second};
    const AdamVectors<S> c = a;
    in_whole_lanes<4, 3, false>(from, to, a.size, [&](const auto& x, const auto& y, Index n) {
        for (Index i = 0; i < n; i += lanes) {
            S first[lanes];
            S second[lanes];
            S root[lanes];
            S parameter[lanes];
            for (Index l = 0; l < lanes; ++l) {
                const S g = x[3][i + l];
                first[l] = c.beta1 * x[1][i + l] + (1 - c.beta1) * g;
                second[l] = c.beta2 * x[2][i + l] + (1 - c.beta2) * (g * g);
                root[l] = second[l];
            }
            roots(root);
            for (Index l = 0; l < lanes; ++l)
                parameter[l] =
                    c.keep * x[0][i + l] - c.rate * first[l] / (root[l] * c.root_factor + c.epsilon);
            __builtin_memcpy(y[0] + i, parameter, sizeof parameter);
            __builtin_memcpy(y[1] + i, first, sizeof first);
            __builtin_memcpy(y[2] + i, second, sizeof second);
        }
    });
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif

// SPDX-License-Identifier: MIT
// Adam's step over whole vectors: see train/adam.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

template <class S>
void adam(const AdamVectors<S>& a) {
    Lanes<S, 4, 3> x;
    x.from[0] = x.to[0] = a.parameters;
    x.from[1] = x.to[1] = a.first;
    x.from[2] = x.to[2] = a.second;
    x.from[3] = a.gradient;
    for (Index n = a.size; n > 0; n -= lanes) {
        if (n < lanes) x.spare(n);
        S first[lanes];
        S second[lanes];
        S root[lanes];
        S parameter[lanes];
        for (Index l = 0; l < lanes; ++l) {
            const S g = x.from[3][l];
            first[l] = a.beta1 * x.from[1][l] + (1 - a.beta1) * g;
            second[l] = a.beta2 * x.from[2][l] + (1 - a.beta2) * (g * g);
            root[l] = second[l];
        }
        roots(root);
        for (Index l = 0; l < lanes; ++l)
            parameter[l] = a.keep * x.from[0][l] - a.rate * first[l] / (root[l] * a.root_factor + a.epsilon);
        __builtin_memcpy(x.target(0, n), parameter, sizeof parameter);
        __builtin_memcpy(x.target(1, n), first, sizeof first);
        __builtin_memcpy(x.target(2, n), second, sizeof second);
        if (n < lanes) x.finish(n);
        for (const S*& from : x.from) from += lanes;
        for (S*& to : x.to) to += lanes;
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif

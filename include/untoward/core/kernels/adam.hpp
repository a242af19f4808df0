// SPDX-License-Identifier: MIT
// Adam's step over whole vectors: see train/adam.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

template <class S>
void adam(const AdamVectors<S>& vectors) {
    const AdamVectors<S> a = vectors;  // here nothing else can change it
    const S* from[] = {a.parameters, a.first, a.second, a.gradient};
    S* to[] = {a.parameters, a.first, a.second};
    for (Turns<4, 3, false, S> turns(a.size); turns.next(from, to);) {
        for (Index i = 0; i < turns.n; i += lanes) {
            S first[lanes];
            S second[lanes];
            S root[lanes];
            S parameter[lanes];
            for (Index l = 0; l < lanes; ++l) {
                const S g = from[3][i + l];
                first[l] = a.beta1 * from[1][i + l] + (1 - a.beta1) * g;
                second[l] = a.beta2 * from[2][i + l] + (1 - a.beta2) * (g * g);
                root[l] = second[l];
            }
            roots(root);
            for (Index l = 0; l < lanes; ++l)
                parameter[l] =
                    a.keep * from[0][i + l] - a.rate * first[l] / (root[l] * a.root_factor + a.epsilon);
            __builtin_memcpy(to[0] + i, parameter, sizeof parameter);
            __builtin_memcpy(to[1] + i, first, sizeof first);
            __builtin_memcpy(to[2] + i, second, sizeof second);
        }
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif

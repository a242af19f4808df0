// SPDX-License-Identifier: MIT
// Adam's step over whole vectors: see train/adam.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

// Where a parameter's gradient has gone to zero its moments fade until they are no normal numbers any more, and stay so:
// some processors then take a hundred times as long for every step. They end as zero here.
template <class S>
UNTOWARD_INLINE S normal_or_zero(S x) {
    return std::abs(x) < (std::numeric_limits<S>::min)() ? S(0) : x;
}

template <class S>
void adam(const AdamVectors<S>& vectors) {
    const AdamVectors<S> a = vectors;  // here nothing else can change it
    for (Turns<4, 3, S> turns(a.size); turns.next();) {
        S* x[] = {a.parameters, a.first, a.second, const_cast<S*>(a.gradient)};
        turns.enter(x);
        for (Index i = 0; i < turns.n; i += lanes<S>) {
            S first[lanes<S>];
            S second[lanes<S>];
            S root[lanes<S>];
            S parameter[lanes<S>];
            for (Index l = 0; l < lanes<S>; ++l) {
                const S g = x[3][i + l];
                first[l] = normal_or_zero(a.beta1 * x[1][i + l] + (1 - a.beta1) * g);
                second[l] = normal_or_zero(a.beta2 * x[2][i + l] + (1 - a.beta2) * (g * g));
                root[l] = second[l];
            }
            roots(root);
            for (Index l = 0; l < lanes<S>; ++l)
                parameter[l] =
                    a.keep * x[0][i + l] - a.rate * first[l] / (root[l] * a.root_factor + a.epsilon);
            store_vector(x[0] + i, load_vector(parameter));
            store_vector(x[1] + i, load_vector(first));
            store_vector(x[2] + i, load_vector(second));
        }
        turns.leave();
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif

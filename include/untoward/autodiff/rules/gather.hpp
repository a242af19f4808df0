// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>

#include "../rule.hpp"

namespace untoward UNTOWARD_SETTING {

/// Columns of a table by their number: an embedding. The table is a parameter Shape<E, N>, N entries of E
/// numbers; the indices are a value of one channel, Shape<1, P...>, whose elements are whole numbers in
/// [0, N) (rounded to the nearest); the result is Shape<E, P...>. The gradient of the table gathers what each
/// use of an entry gives; indices have none.
///
/// An index out of range is misuse: an assertion, and with NDEBUG the nearest entry. A NaN, which is data,
/// gives an entry of NaN, from which nothing is learned.
///
///     const auto table = scope.parameter("table", Shape<4, 12>{}, UniformFanIn{4});   // 12 entries
///     return gather(scope, table, indices);                               // Seq<1, T> to Seq<4, T>
struct Gather {
    template <class Table, Index C, Index... P>
    constexpr auto shape(const Table& table, const Shape<C, P...>& indices) const {
        static_assert(Table::rank == 2, "untoward: a table is Shape<E, N>: N entries of E numbers");
        static_assert(C == Dynamic || C == 1, "untoward: indices have one channel");
        UNTOWARD_ASSERT(indices.channels() == 1, "untoward: indices have one channel");
        UNTOWARD_ASSERT(table.positions() > 0, "untoward: a table has entries");
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return Shape<Table::template static_extent<0>, P...>(table.channels(),
                                                                 indices.template extent<I + 1>()...);
        }
        (std::make_index_sequence<sizeof...(P)>{});
    }
    constexpr Index batch(Index table, Index indices) const {
        UNTOWARD_ASSERT(table == 1, "untoward: a table is the same for all samples");
        static_cast<void>(table);
        return indices;
    }

    void forward(auto y, auto table, auto indices) const {
        using S = typename decltype(y)::Scalar;
        const Index size = table.shape().template extent<0>();
        for_each_entry(table, indices, [&](Index entry, Index position, Index j) {
            S* const to = y.data() + position * size + j * y.stride();
            if (entry < 0) {
                std::fill_n(to, size, std::numeric_limits<S>::quiet_NaN());
            } else {
                std::copy_n(table.data() + entry * size, size, to);
            }
        });
    }
    void backward(auto dy, auto, auto table, auto indices, auto dtable, auto) const {
        using S = typename decltype(dy)::Scalar;
        if (!dtable) return;
        const auto to = dtable.partial();
        const Index size = table.shape().template extent<0>();
        for_each_entry(table, indices, [&](Index entry, Index position, Index j) {
            if (entry < 0) return;
            detail::FlatMap<S>(to.data() + entry * size, size) +=
                detail::ConstFlatMap<S>(dy.data() + position * size + j * dy.stride(), size);
        });
    }

private:
    // f(entry or -1 for NaN, position, sample)
    template <class Function>
    static void for_each_entry(const auto& table, const auto& indices, const Function& function) {
        const Index entries = table.shape().template extent<1>();
        for (Index j = 0; j < indices.batch(); ++j) {
            for (Index i = 0; i < indices.rows(); ++i) function(entry_of(indices(i, j), entries), i, j);
        }
    }
    // Clamped before the conversion, which is undefined for what an Index cannot hold.
    template <class S>
    static Index entry_of(S index, Index entries) {
        if (std::isnan(index)) return -1;
        const S nearest = std::round(index);
        const S last = static_cast<S>(entries - 1);
        UNTOWARD_ASSERT(nearest >= 0 && nearest <= last, "untoward: an index is the number of an entry");
        return (std::min)(static_cast<Index>((std::min)((std::max)(nearest, S(0)), last)), entries - 1);
    }
};

/// the entries of a table Shape<E, N> that indices Shape<1, P...> name: Shape<E, P...>
template <class Scope, class Table, class Indices>
constexpr auto gather(Scope& scope, const Table& table, const Indices& indices) {
    return scope.apply(Gather{}, table, indices);
}

}  // namespace untoward

// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "fitted.hpp"
#include "robust_unit.hpp"

// One score of a sum by itself, for those that change its unit (slog.hpp, tail.hpp).

namespace untoward {

namespace detail {

// The scores of a batch, and what each feature has of them (D x batch, packed), by a score alone.
template <class S>
void score_alone(const auto& score, const auto& evidence, Arena& arena, bool leave_one_out, S* scores,
                 S* shares) {
    const std::size_t mark = arena.used();
    const Index n = evidence.x.batch();
    const Index features = evidence.x.rows();
    ScoreSheet<S> sheet{{arena.allocate<S>(features * n), Vec<>(features), n},
                        {scores, Vec<1>{}, n},
                        &arena,
                        shares,
                        leave_one_out};
    sheet.features.flat().setZero();
    sheet.rest.flat().setZero();
    if (shares != nullptr) std::fill_n(shares, features * n, S(0));
    add_score(score, sheet, evidence, S(1));
    for (Index j = 0; j < n; ++j) {
        for (Index i = 0; i < features; ++i) {
            scores[j] += sheet.features(i, j);
            if (shares != nullptr) shares[i + j * features] += sheet.features(i, j);
        }
    }
    arena.rewind(mark);
}
template <class S>
constexpr std::size_t score_alone_bytes(const auto& score, Index features, Index batch) {
    return align_up(static_cast<std::size_t>(features * batch) * sizeof(S)) + score_bytes(score, batch);
}

// The scores, by a fitted score alone, of the rows that were held out, or of the training rows where none were,
// and the median of what each feature has of them (in 2,048 rows at most). Says how many are numbers: those come
// first.
template <class Vector>
Index calibrate_alone(const auto& score, const auto& rows, const Needs& needs, Vector& scores,
                      Vector& typical) {
    using S = typename Vector::Scalar;
    const FitRows which = rows.count(FitRows::held_out) > 0 ? FitRows::held_out : FitRows::training;
    const Index d = rows.features();
    constexpr Index most_explained = 2048;
    scores.resize(rows.count(which));
    Eigen::Matrix<S, Dynamic, Dynamic> shares(std::min(most_explained, scores.size()), d);
    Buffer<std::byte> memory{};
    Vector block_scores;
    Vector block_shares;
    Index known = 0;
    Index explained = 0;
    rows.for_each(which, needs, [&](const auto& evidence) {
        const Index n = evidence.x.batch();
        if (block_scores.size() < n) {
            memory = Buffer<std::byte>(static_cast<Index>(score_alone_bytes<S>(score, d, n)));
            block_scores.resize(n);
            block_shares.resize(d * n);
        }
        Arena arena(memory);
        S* const explaining = explained < shares.rows() ? block_shares.data() : nullptr;
        score_alone(score, evidence, arena, true, block_scores.data(), explaining);
        for (Index j = 0; j < n; ++j) {
            if (!std::isfinite(block_scores[j])) continue;
            scores[known++] = block_scores[j];
            if (explained == shares.rows()) continue;
            for (Index i = 0; i < d; ++i) shares(explained, i) = block_shares[i + j * d];
            ++explained;
        }
    });
    typical.resize(d);
    for (Index i = 0; i < d; ++i) typical[i] = median(shares.data() + i * shares.rows(), explained);
    return known;
}

}  // namespace detail

}  // namespace untoward

// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>
#include <vector>

#include "../ensemble.hpp"
#include "fit.hpp"

namespace untoward {

/// What fitting an ensemble found out.
struct EnsembleReport {
    Index rows = 0;                  ///< in all
    Index calibration_rows = 0;      ///< that only the threshold saw
    std::vector<FitReport> members;  ///< `rows` and `calibration_rows` of each are those above
};

namespace detail {

// Members start from other parameters, meet other noise and hold out other rows.
inline FitOptions options_of_member(FitOptions options, Index member) {
    options.seed += static_cast<std::uint64_t>(member) * 0x9e3779b97f4a7c15u;
    return options;
}

// The rows with the member's fifth in front, which it holds out, and how many those are. Of a few rows nothing
// is held out: a member needs them all.
inline std::size_t hold_out_fold(Index member, std::vector<Index>& rows) {
    constexpr std::size_t folds = 5;
    constexpr std::size_t least = 4 * folds;
    if (rows.size() < least) return 0;
    const std::size_t fold = static_cast<std::size_t>(member) % folds;
    const std::size_t begin = fold * rows.size() / folds;
    const std::size_t end = (fold + 1) * rows.size() / folds;
    std::rotate(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end());
    return end - begin;
}

}  // namespace detail

/// Fits an ensemble to normal rows, features x n (NaN = missing). Calibration rows are set aside as `fit` does
/// for one detector. Each member learns from four fifths of the others, from a seed of its own, and fuses
/// its scores by its fifth, another for each of five members; where the others are 2,000 or more, that fifth
/// also chooses the best step. Throws Error as `fit` does for one.
template <class Members, class ThresholdPolicy, class Derived>
requires(detail::makes_detector<Ensemble<Members, ThresholdPolicy>> && detail::Numbers<Derived>)  //
    auto fit(const Ensemble<Members, ThresholdPolicy>& ensemble, const Eigen::DenseBase<Derived>& rows,
         const FitOptions& options = {}, EnsembleReport* report = nullptr) {
    using S = typename Derived::Scalar;
    using Result = Detector<Ensemble<Members, ThresholdPolicy>, Owned<S>>;
    using Vector = typename Result::Vector;
    const auto& data = rows.derived();
    if (detail::count_members(ensemble.members) == 0) fail("an ensemble without members cannot be fitted");
    detail::for_each_member(ensemble.members,
                            [&](const auto& recipe, Index) { detail::require_fit(recipe, data, options); });
    const CalibrationSplit split = calibration_split(ensemble.threshold, data.cols(), options.seed);
    constexpr std::size_t rows_to_spare = 2000;
    EnsembleReport found{data.cols(), static_cast<Index>(split.calibration.size()), {}};

    const auto fit_member = [&](const auto& recipe, Index member) {
        std::vector<Index> rest = split.rest;
        const std::size_t held_out = detail::hold_out_fold(member, rest);
        FitReport of_member;
        auto detector = detail::fit_uncalibrated(recipe, rows, rest, held_out, rest.size() >= rows_to_spare,
                                                 detail::options_of_member(options, member),
                                                 report != nullptr ? &of_member : nullptr);
        of_member.rows = found.rows;
        of_member.calibration_rows = found.calibration_rows;
        found.members.push_back(of_member);
        return detector;
    };
    auto members = [&] {
        if constexpr (requires { ensemble.members.begin(); }) {
            typename Result::Detectors detectors;
            for (const auto& recipe : ensemble.members)
                detectors.push_back(fit_member(recipe, static_cast<Index>(detectors.size())));
            return detectors;
        } else {
            // In braces, so that they are fitted in their order.
            Index member = 0;
            const auto fit_next = [&](const auto& recipe) { return fit_member(recipe, member++); };
            return std::apply(
                [&](const auto&... recipe) { return typename Result::Detectors{fit_next(recipe)...}; },
                ensemble.members);
        }
    }();
    Result detector(ensemble, std::move(members),
                    detail::calibrate(ensemble.threshold, Vector(Vector::Zero(1))));
    const Vector scores = detector.score(detail::gather_raw<S>(data, split.calibration));
    detector.set_threshold(detail::calibrate(ensemble.threshold, raised_for_rounding(scores)));
    if (report != nullptr) *report = std::move(found);
    return detector;
}

}  // namespace untoward

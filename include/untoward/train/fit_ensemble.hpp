// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "../ensemble.hpp"
#include "fit.hpp"

namespace untoward UNTOWARD_SETTING {

/// What fitting an ensemble found out.
struct EnsembleReport {
    Index rows = 0;                  ///< in all
    Index calibration_rows = 0;      ///< that only the threshold saw
    std::vector<FitReport> members;  ///< `rows` and all of calibration are the same in each

    /// A sentence for whatever a person should know before the ensemble is used, as in FitReport: once where it holds
    /// for all members, else for each that it holds for, which is named.
    [[nodiscard]] std::vector<std::string> notes() const {
        std::vector<std::vector<std::string>> of_member;
        for (const FitReport& member : members) of_member.push_back(member.notes());
        std::vector<std::string> result;
        for (std::size_t i = 0; i < of_member.size(); ++i) {
            for (const std::string& note : of_member[i]) {
                const bool of_all =
                    std::all_of(of_member.begin(), of_member.end(), [&note](const auto& notes) {
                        return std::find(notes.begin(), notes.end(), note) != notes.end();
                    });
                if (!of_all) result.push_back("model " + std::to_string(i + 1) + ": " + note);
                if (of_all && i == 0) result.push_back(note);
            }
        }
        return result;
    }
};

namespace detail {

// Members start from other parameters, meet other noise and hold out other rows.
inline FitOptions options_of_member(FitOptions options, Index member) {
    options.seed += static_cast<std::uint64_t>(member) * 0x9e3779b97f4a7c15u;
    return options;
}

}  // namespace detail

/// Fits an ensemble to normal rows, features x n (NaN = missing). Calibration rows are set aside as `fit` does
/// for one detector. Each member learns from four fifths of the others, from a seed of its own, and fuses
/// its scores by its fifth, another for each of five members; where the others are 2,000 or more, that fifth
/// also chooses the best step. Throws Error as `fit` does for one.
template <class Members, class ThresholdPolicy, class Derived>
requires(detail::makes_detector<Ensemble<Members, ThresholdPolicy>>&& detail::Numbers<Derived>)  //
    auto fit(const Ensemble<Members, ThresholdPolicy>& ensemble, const Eigen::DenseBase<Derived>& rows,
             const FitOptions& options = {}, EnsembleReport* report = nullptr) {
    using S = typename Derived::Scalar;
    using Result = Detector<Ensemble<Members, ThresholdPolicy>, Owned<S>>;
    using Vector = typename Result::Vector;
    const auto& data = rows.derived();
    if (detail::count_members(ensemble.members) == 0) fail("an ensemble without members cannot be fitted");
    detail::for_each_member(ensemble.members,
                            [&](const auto& recipe, Index) { detail::require_fit(recipe, data, options); });
    require_options(ensemble);
    const CalibrationSplit split =
        calibration_split(ensemble.threshold, data.cols(), options.seed, options.split);
    constexpr std::size_t rows_to_spare = 2000;
    EnsembleReport found{data.cols(), static_cast<Index>(split.calibration.size()), {}};
    std::vector<std::size_t> rest_of_member;  // without what lies in a gap

    const auto fit_member = [&](const auto& recipe, Index member) {
        std::vector<Index> rest = split.rest;
        const bool may_judge = rest.size() >= rows_to_spare;
        const std::size_t held_out = detail::hold_out_fold(member, rest, options.split);
        rest_of_member.push_back(rest.size());
        FitReport of_member;
        auto detector = detail::fit_uncalibrated(recipe, rows, rest, held_out, may_judge,
                                                 detail::options_of_member(options, member),
                                                 report != nullptr ? &of_member : nullptr);
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
    for (std::size_t i = 0; i < found.members.size(); ++i)
        detail::report_calibration(found.members[i], detector.threshold(), data.cols(),
                                   split.calibration.size(), rest_of_member[i]);
    if (report != nullptr) *report = std::move(found);
    return detector;
}

/// The same of the windows of a series (data/windows.hpp), which are split in time unless the options say otherwise: a
/// member shares no reading with its held-out windows, and none with those of calibration.
template <class Members, class ThresholdPolicy, class S>
auto fit(const Ensemble<Members, ThresholdPolicy>& ensemble, const SeriesWindows<S>& windows,
         const FitOptions& options = {}, EnsembleReport* report = nullptr) {
    const typename SeriesWindows<S>::Map& samples = windows;
    const FitOptions all = detail::options_for_windows(options, windows);
    auto detector = fit(ensemble, samples, all, report);
    if (report != nullptr) {
        for (FitReport& member : report->members) detail::report_overlap(member, windows, all.split);
    }
    return detector;
}

}  // namespace untoward

// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>

#include "detector.hpp"

// Several detectors that vote: each has a scaler, a model and a score of its own and learned from other rows;
// their mean score is judged by one threshold.
//
//     const auto score = 0.5f * Slog{NegativeElbo{}} + 0.5f * Slog{NeighbourScore{}};
//     const Ensemble ensemble{std::tuple{Recipe{StandardScaler{}, Model{}, score, NoThreshold{}},
//                                        Recipe{RobustScaler{}, Model{}, score, NoThreshold{}}},
//                             Conformal{.false_alarm_rate = 0.01}};
//     const auto detector = fit(ensemble, rows, {.seed = 7});          // train/fit_ensemble.hpp
//     const auto verdict = detector(sample);
//
// Scores are added as they are, so they have one unit: the fused scores of scores/slog.hpp are calibrated on
// rows that their member did not learn from. Members of one type, as many as a program likes, are a
// std::vector of recipes in place of the tuple.

namespace untoward UNTOWARD_SETTING {

namespace detail {

// Whether these are recipes of which detectors can be made: a tuple of them, or a container of one type.
template <class Members>
inline constexpr bool are_recipes = false;
template <class... Recipes>
inline constexpr bool are_recipes<std::tuple<Recipes...>> = sizeof...(Recipes) > 0 &&
                                                            (makes_detector<Recipes> && ...);
template <template <class...> class List, class One, class... Rest>
requires requires(const List<One, Rest...>& list) {
    list.begin();
}
inline constexpr bool are_recipes<List<One, Rest...>> = makes_detector<One>;

}  // namespace detail

/// What an ensemble is made of: options only. `Members` is a std::tuple of recipes, or a container of recipes
/// of one type; their own thresholds are not used.
template <class Members, class ThresholdPolicy>
struct Ensemble {
    static_assert(detail::are_recipes<Members>,
                  "untoward: an Ensemble is {members, threshold}: the members a std::tuple of recipes, or a "
                  "std::vector of recipes of one type");

    Members members;
    [[no_unique_address]] ThresholdPolicy threshold;

    constexpr void check_options() const {
        if constexpr (requires { members.begin(); }) {
            for (const auto& member : members) require_options(member);
        } else {
            std::apply([](const auto&... member) { (require_options(member), ...); }, members);
        }
        require_options(threshold);
    }
};
template <class Members, class ThresholdPolicy>
Ensemble(const Members&, const ThresholdPolicy&) -> Ensemble<Members, ThresholdPolicy>;

namespace detail {

template <class Members, class ThresholdPolicy>
inline constexpr bool is_recipe<Ensemble<Members, ThresholdPolicy>> = true;
template <class Members, class ThresholdPolicy>
inline constexpr bool makes_detector<Ensemble<Members, ThresholdPolicy>> = are_recipes<Members>;

// The detectors that recipes become, in a container of the same kind.
template <class Members, class Storage>
struct DetectorsOf;
template <class... Recipes, class Storage>
struct DetectorsOf<std::tuple<Recipes...>, Storage> {
    using type = std::tuple<Detector<Recipes, Storage>...>;
    using First = std::tuple_element_t<0, type>;
};
template <template <class...> class List, class One, class... Rest, class Storage>
requires requires(const List<One, Rest...>& list) {
    list.begin();
}
struct DetectorsOf<List<One, Rest...>, Storage> {
    using type = List<Detector<One, Storage>>;
    using First = Detector<One, Storage>;
};

/// function(member, index) for each of a tuple or a container.
template <class Members, class Function>
constexpr void for_each_member(Members& members, const Function& function) {
    Index i = 0;
    if constexpr (requires { members.begin(); }) {
        for (auto& member : members) function(member, i++);
    } else {
        std::apply([&](auto&... member) { (function(member, i++), ...); }, members);
    }
}
template <class Members>
constexpr Index count_members(const Members& members) {
    if constexpr (requires { members.size(); }) {
        return static_cast<Index>(members.size());
    } else {
        return static_cast<Index>(std::tuple_size_v<Members>);
    }
}

template <class Members, class ThresholdPolicy, class Storage>
using JudgeOfEnsemble =
    Judge<Detector<Ensemble<Members, ThresholdPolicy>, Storage>, typename Storage::Scalar,
          typename DetectorsOf<Members, Storage>::First::Sample,
          ThresholdOfRecipe<Ensemble<Members, ThresholdPolicy>, typename Storage::Vector>>;

}  // namespace detail

/// A fitted ensemble: used as any other detector. Its score is the mean of its members' scores, a feature's
/// share the mean of its shares, and what is expected of a feature the mean of what they expect.
///
/// Threads: as a detector of one model.
template <class Members, class ThresholdPolicy, class Storage>
requires(detail::are_recipes<Members>) class Detector<Ensemble<Members, ThresholdPolicy>, Storage>
    : public detail::JudgeOfEnsemble<Members, ThresholdPolicy, Storage> {
    using Base = detail::JudgeOfEnsemble<Members, ThresholdPolicy, Storage>;

public:
    using typename Base::Scalar;
    using typename Base::Threshold;
    using RecipeType = Ensemble<Members, ThresholdPolicy>;
    using Detectors = typename detail::DetectorsOf<Members, Storage>::type;
    using First = typename detail::DetectorsOf<Members, Storage>::First;
    using Vector = typename Storage::Vector;

    // These are errors; as templates, whose text is said where they are used.
    template <bool IsEmpty = true>
    Detector() : Detector(detail::refuse_empty<Detector, IsEmpty>()) {}
    template <class Other>
    requires(!std::is_same_v<Other, Storage>) Detector(const Detector<RecipeType, Other>&)
        : Detector(detail::refuse_other_numbers<Detector, Other, true>()) {}

    /// From its fitted parts: at least one member, all of them for the same features.
    Detector(const RecipeType& recipe, Detectors members, Threshold threshold)
        : Base(std::move(threshold)), recipe_(recipe), members_(std::move(members)) {
        const Index count = detail::count_members(members_);
        if (count < 1) detail::refuse({"an ensemble without members cannot score"});
        Index member = 0;
        detail::for_each_member(members_, [&](const auto& each, Index) {
            ++member;
            if (each.features() != features())
                detail::refuse({"member ", member, " of an ensemble has ", each.features(),
                                " features, the first has ", features()});
        });
    }

    [[nodiscard]] const RecipeType& recipe() const { return recipe_; }
    [[nodiscard]] const Detectors& members() const { return members_; }
    [[nodiscard]] Index member_count() const { return detail::count_members(members_); }
    [[nodiscard]] const First& first() const {
        if constexpr (requires { members_.begin(); }) {
            return *members_.begin();
        } else {
            return std::get<0>(members_);
        }
    }
    [[nodiscard]] Index features() const { return first().features(); }

    /// How far the members disagree about every sample, features x n: the standard deviation of their scores, which is
    /// large where they had to guess (deep ensembles; Lakshminarayanan et al. 2017). NaN of one member, and of a sample
    /// with an infinite value. Scores every sample by every member.
    template <class Derived>
    [[nodiscard]] Eigen::Matrix<Scalar, Dynamic, 1> spread(const Eigen::DenseBase<Derived>& samples) const {
        detail::require_features(samples.rows(), samples.cols(), features());
        Eigen::Matrix<Scalar, Dynamic, Dynamic> scores(samples.cols(), member_count());
        detail::for_each_member(
            members_, [&](const auto& member, Index m) { scores.col(m) = member.score(samples.derived()); });
        const Eigen::Matrix<Scalar, Dynamic, 1> mean = scores.rowwise().mean();
        const auto freedom = static_cast<Scalar>(member_count() - 1);
        return ((scores.colwise() - mean).rowwise().squaredNorm() / freedom).cwiseSqrt();
    }

    /// Arena bytes for a batch, with or without explanation.
    [[nodiscard]] std::size_t arena_bytes(Index batch, bool explain) const {
        std::size_t most = 0;
        detail::for_each_member(members_, [&](const auto& member, Index) {
            most = (std::max)(most, member.arena_bytes(batch, explain));
        });
        const auto size = static_cast<std::size_t>(features() * batch);
        return most + align_up(static_cast<std::size_t>(batch) * sizeof(Scalar)) +
               (explain ? 2 : 1) * align_up(size * sizeof(Scalar));
    }
    /// Arena bytes for `judge`.
    [[nodiscard]] std::size_t judge_bytes() const {
        return arena_bytes(1, true) + 2 * align_up(static_cast<std::size_t>(features()) * sizeof(Scalar));
    }

    /// The most draws of z that a member's score is a mean over.
    [[nodiscard]] Index draws() const {
        Index most = 0;
        detail::for_each_member(members_,
                                [&](const auto& member, Index) { most = (std::max)(most, member.draws()); });
        return most;
    }
    /// Arena bytes for `add_deviations`.
    [[nodiscard]] std::size_t deviation_bytes(Index batch) const {
        std::size_t most = 0;
        detail::for_each_member(members_, [&](const auto& member, Index) {
            most = (std::max)(most, member.deviation_bytes(batch));
        });
        return most;
    }
    /// As a detector of one model does: what a draw does to one member and to another adds up, for members of one
    /// seed meet the same noise.
    template <class Derived>
    void add_deviations(const Eigen::DenseBase<Derived>& samples, Arena& arena,
                        const Tensor<Scalar, Vec<>>& deviations, Scalar weight) const {
        const Scalar share = weight / static_cast<Scalar>(member_count());
        detail::for_each_member(members_, [&](const auto& member, Index) {
            member.add_deviations(samples, arena, deviations, share);
        });
    }

    /// As a detector of one model does (detector.hpp): no memory but the arena's, of `arena_bytes(n, expected
    /// != nullptr)`.
    template <class Derived>
    void evaluate(const Eigen::DenseBase<Derived>& samples, Arena& arena, Scalar* scores,
                  Scalar* contributions = nullptr, Scalar* expected = nullptr) const {
        detail::require_features(samples.rows(), samples.cols(), features());
        const detail::ArenaScope arena_scope(arena);
        const Index n = samples.cols();
        const Index size = features() * n;
        const Scalar share = Scalar(1) / static_cast<Scalar>(member_count());
        Scalar* const own = arena.allocate<Scalar>(n);
        Scalar* const own_contributions = contributions == nullptr ? nullptr : arena.allocate<Scalar>(size);
        Scalar* const own_expected = expected == nullptr ? nullptr : arena.allocate<Scalar>(size);
        const auto add = [share](Scalar* sum, const Scalar* values, Index count, bool first) {
            if (values == nullptr) return;
            for (Index i = 0; i < count; ++i) sum[i] = (first ? Scalar(0) : sum[i]) + share * values[i];
        };
        detail::for_each_member(members_, [&](const auto& member, Index m) {
            member.evaluate(samples, arena, own, own_contributions, own_expected);
            add(scores, own, n, m == 0);
            add(contributions, own_contributions, size, m == 0);
            add(expected, own_expected, size, m == 0);
        });
    }

private:
    RecipeType recipe_;
    Detectors members_;
};

}  // namespace untoward

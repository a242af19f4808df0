// SPDX-License-Identifier: MIT
// Scores that learn, chosen at run time: what they learn, their text and their file are those of the fixed ones.
#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/registries.hpp"
#include "untoward/dynamic/any_score.hpp"
#include "untoward/io/detector_file.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

using Model = Vae<Vec<4>, Encoder<Dense<6, Tanh>>, Latent<2>, Decoder<Dense<6, Tanh>>, Gaussian>;

const auto score = 0.5f * Slog{KlDivergence{} + 0.5f * MahalanobisScore{.space = Space::residual}} +
                   Slog{NeighbourScore{.k = 3}};

auto recipe_of(const auto& of) {
    return Recipe{StandardScaler{}, Model{}, of, Fixed{3}};
}
// Fitted to a network that nobody trained.
template <class ScoreType>
auto fitted(const ScoreType& of, const Eigen::MatrixXf& rows) {
    const auto recipe = recipe_of(of);
    Buffer<float> parameters(measure(Model{}, Vec<4>{}).scalars);
    initialise(parameters.data(), 3, Model{}, Vec<4>{});
    const auto scaling = StandardScaler{}.fit(rows);
    std::vector<Index> all(static_cast<std::size_t>(rows.cols()));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Index>(i);
    const Eigen::MatrixXf scaled = detail::gather_scaled<float>(rows, scaling, all);
    const Eigen::MatrixXf held_out = scaled.leftCols(30);
    const Eigen::MatrixXf training = scaled.rightCols(rows.cols() - 30);
    const detail::EvidenceOfModel<float, Model> evidence(recipe.model, parameters.data(), training, held_out,
                                                         1);
    const TrainingEvidence<float>& seen = evidence;
    const Eigen::VectorXf zero = Eigen::VectorXf::Zero(4);
    return Detector<std::remove_const_t<decltype(recipe)>>(
        recipe, scaling, parameters, zero, {3.0f, 0, 0},
        detail::ScoreFitting<ScoreType, Eigen::VectorXf>::fit(of, seen));
}

}  // namespace

TEST_CASE("a score that learns, from its text: the same bits, and either reads the other's file") {
    const Eigen::MatrixXf rows = untoward_test::correlated(4, 150, 2);
    const AnyScore<float> any = make_score(
        "0.5 * slog{kl-divergence + 0.5 * mahalanobis-score{space=residual}} + slog{neighbour-score{k=3}}");
    CHECK(any.text() == io::policy_text(score));
    CHECK(make_score(any.text()).text() == any.text());
    const auto fixed_one = fitted(score, rows);
    const auto any_one = fitted(any, rows);
    CHECK(any_one.score(rows) == fixed_one.score(rows));
    CHECK(any_one(rows.col(3)).contributions[0].excess == fixed_one(rows.col(3)).contributions[0].excess);
    CHECK(any_one.arena_bytes(7, true) == fixed_one.arena_bytes(7, true));

    io::SafeTensorsWriter from_any;
    io::add_detector(from_any, any_one);
    io::SafeTensorsWriter from_fixed;
    io::add_detector(from_fixed, fixed_one);
    CHECK(from_any.bytes() == from_fixed.bytes());
    const io::SafeTensors file(from_any.bytes(), "memory");
    CHECK(io::read_detector<float>(file, recipe_of(score)).score(rows) == fixed_one.score(rows));
    CHECK(io::read_detector<float>(file, recipe_of(any)).score(rows) == fixed_one.score(rows));

    // A file whose sizes are not those of the model, or not sensible.
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string bytes = from_any.bytes();
        const std::size_t at = bytes.find(from);
        REQUIRE(at != std::string::npos);
        bytes.replace(at, from.size(), to);
        return io::SafeTensors(std::move(bytes), "memory");
    };
    for (const auto& [from, to] : {std::pair{R"(1.of.k":"3")", R"(1.of.k":"0")"},
                                   std::pair{R"(1.of.rows":"150")", R"(1.of.rows":"999")"},
                                   std::pair{R"(1.of.features":"4")", R"(1.of.features":"9")"}})
        CHECK_THROWS_AS(io::read_detector<float>(changed(from, to), recipe_of(any)), Error);
}

TEST_CASE("every score that learns has a name; slog has one score in it") {
    for (const char* name :
         {"neighbour-score", "mixture-score", "mahalanobis-score", "principal-component-score"}) {
        CHECK(make_score(make_score(name).text()).text() == make_score(name).text());
        CHECK(make_score(std::string("slog{") + name + "}").needs().draws == 0);
    }
    CHECK_THROWS_WITH(make_score("slog{}"), ContainsSubstring("'slog' has one score"));
    CHECK_THROWS_WITH(make_score("neighbour-score{space=outer}"),
                      ContainsSubstring("input, latent, residual"));
}

// SPDX-License-Identifier: MIT
// The program of version 0.1.0's README whose parts are chosen when it runs.
#include <untoward/dynamic/detector.hpp>
#include <untoward/io/table_coding.hpp>
#include <untoward/train/fit.hpp>

#include <cstdio>

// A score of your own, known by name once it is registered.
struct LargestError {
    double scale = 1;

    static constexpr const char* name = "largest-error";
    static constexpr void options(auto& self, auto&& visit) { visit("scale", self.scale); }

    constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        for (Eigen::Index j = 0; j < evidence.x.batch(); ++j) {
            Eigen::Index worst = 0;
            const auto error = (evidence.x.column(j) - evidence.reconstruction().column(j)).abs();
            const auto largest = error.maxCoeff(&worst);
            sheet.features(worst, j) += weight * static_cast<decltype(weight)>(scale) * largest;
        }
    }
};

int main() {
    untoward::score_registry<float>().add<LargestError>();

    const auto train = untoward::io::read_table("train.csv");
    const auto coding = untoward::io::TableCoding::learn(train, {.ignore = {"payment_id"}});
    const untoward::AnyRecipe<float> recipe{
        untoward::scaler_registry<float>().make("robust-scaler"),
        untoward::make_vae<float>({.features = coding.features(),
                                   .encoder = "dense<32,silu>, dropout{rate=0.1}",
                                   .latent = "latent<3>",
                                   .decoder = "dense<32,silu>",
                                   .likelihood = "student-t"}),
        untoward::make_score<float>("negative-elbo + 0.5 * largest-error{scale=2}"),
        untoward::threshold_registry<float>().make("conformal{false_alarm_rate=0.05}")};
    const auto detector = untoward::fit(recipe, coding.matrix(train), {.epochs = 5, .seed = 7});

    untoward::io::SafeTensorsWriter writer;
    untoward::io::add_detector(writer, detector);
    const untoward::io::SafeTensors file(writer.bytes(), "memory");
    const auto loaded = untoward::io::read_any_detector<float>(file);
    std::printf("%s\n", untoward::describe(loaded.recipe().model).c_str());
    std::printf("%s\n", untoward::describe(loaded.recipe().score).c_str());
}

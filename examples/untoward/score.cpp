// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <untoward/io/csv.hpp>

#include "commands.hpp"
#include "model.hpp"

namespace program {

using untoward::Index;
namespace io = untoward::io;

namespace {

struct Blame {
    Index column;
    float excess;
};

// What each column of the table adds to the score of one row: its features' shares together. Most first.
std::vector<Blame> blame(const io::TableCoding& coding, const float* contributions) {
    std::vector<Blame> columns(coding.columns().size());
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c] = {static_cast<Index>(c), 0};
    for (Index i = 0; i < coding.features(); ++i) columns[static_cast<std::size_t>(coding.column_of(i))].excess += contributions[i];
    std::stable_sort(columns.begin(), columns.end(), [](const Blame& a, const Blame& b) { return a.excess > b.excess; });
    return columns;
}

}  // namespace

void score(const ScoreArguments& arguments) {
    const SavedModel model = load_model(arguments.model);
    const io::TableCoding& coding = model.coding;
    const Detector& detector = model.detector;
    const io::Table table = io::read_table(arguments.table, coding.text_columns());
    const io::Column* const id = arguments.id.empty() ? nullptr : &table.column(arguments.id);
    const Eigen::MatrixXf x = coding.matrix(table);
    const auto top = std::min(static_cast<std::size_t>(std::max(arguments.top, 0)), coding.columns().size());

    io::AtomicFile file(arguments.out);
    io::CsvWriter csv(file);
    csv.cell("row");
    if (id != nullptr) csv.cell(id->name);
    csv.cell("score").cell("p_value").cell("is_anomaly");
    for (std::size_t k = 1; k <= top; ++k) {
        const std::string number = std::to_string(k);
        csv.cell("feature_" + number).cell("observed_" + number).cell("expected_" + number);
    }
    csv.cell("missing").end_row();

    const Index features = coding.features();
    const Index block = std::min<Index>(Detector::block_size, std::max<Index>(x.cols(), 1));
    untoward::Buffer<std::byte> memory(static_cast<Index>(Detector::arena_bytes(detector.recipe(), block, top > 0)));
    untoward::Arena arena(memory);
    Eigen::VectorXf scores(block);
    Eigen::MatrixXf contributions(features, block);
    Eigen::MatrixXf expected(features, block);
    for (Index begin = 0; begin < x.cols(); begin += block) {
        const Index n = std::min(block, x.cols() - begin);
        detector.evaluate(x.middleCols(begin, n), arena, scores.data(), top > 0 ? contributions.data() : nullptr,
                          top > 0 ? expected.data() : nullptr);
        for (Index j = 0; j < n; ++j) {
            const Index row = begin + j;
            csv.cell(row + 1);
            if (id != nullptr) csv.cell(id->text(row));
            csv.cell(static_cast<double>(scores(j))).cell(static_cast<double>(detector.p_value(scores(j))));
            csv.cell(detector.threshold().is_anomaly(scores(j)) ? 1 : 0);
            if (top > 0) {
                const std::vector<Blame> columns = blame(coding, contributions.data() + j * features);
                for (std::size_t k = 0; k < top; ++k) {
                    const Index column = columns[k].column;
                    csv.cell(coding.columns()[static_cast<std::size_t>(column)].name);
                    csv.cell(coding.observed_text(column, table, row));
                    csv.cell(coding.decoded_text(column, expected.col(j)));
                }
            }
            Index missing = 0;
            for (std::size_t c = 0; c < coding.columns().size(); ++c) {
                missing += std::isnan(x(coding.first_feature(static_cast<Index>(c)), row)) ? 1 : 0;
            }
            csv.cell(missing).end_row();
        }
    }
    file.commit();
    if (!detector.threshold().is_calibrated()) std::fprintf(stderr, "%s\n", describe_promise(detector).c_str());
}

}  // namespace program

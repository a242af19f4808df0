// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

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
std::vector<Blame> blame(const io::TableCoding& coding,
                         const Eigen::Ref<const Eigen::VectorXf>& contributions) {
    std::vector<Blame> columns(coding.columns().size());
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c] = {static_cast<Index>(c), 0};
    for (Index i = 0; i < coding.features(); ++i)
        columns[static_cast<std::size_t>(coding.column_of(i))].excess += contributions(i);
    for (Blame& column : columns) {
        if (std::isnan(column.excess)) column.excess = std::numeric_limits<float>::infinity();
    }
    std::stable_sort(columns.begin(), columns.end(),
                     [](const Blame& a, const Blame& b) { return a.excess > b.excess; });
    return columns;
}

Index missing_columns(const io::TableCoding& coding, const Eigen::MatrixXf& x, Index row) {
    Index missing = 0;
    for (std::size_t c = 0; c < coding.columns().size(); ++c) {
        missing += std::isnan(x(coding.first_feature(static_cast<Index>(c)), row)) ? 1 : 0;
    }
    return missing;
}

}  // namespace

void score(const ScoreArguments& arguments) {
    const Model model = Model::load(arguments.model);
    const io::TableCoding& coding = model.coding();
    // An identifier is copied as it is written, with its zeros in front and all its digits.
    std::vector<std::string> text_columns = coding.text_columns();
    if (!arguments.id.empty()) text_columns.push_back(arguments.id);
    const io::Table table = io::read_table(arguments.table, text_columns);
    const io::Column* const id = arguments.id.empty() ? nullptr : &table.column(arguments.id);
    const Eigen::MatrixXf x = coding.matrix(table);
    const auto top = std::min(static_cast<std::size_t>(arguments.top), coding.columns().size());

    io::AtomicFile file(arguments.out);
    io::CsvWriter csv(file);
    csv.cell("row");
    if (id != nullptr) csv.cell(id->name);
    csv.cell("score");
    if (arguments.standard_error) csv.cell("standard_error");
    if (arguments.spread) csv.cell("spread");
    csv.cell("p_value").cell("is_anomaly");
    for (std::size_t k = 1; k <= top; ++k) {
        const std::string number = std::to_string(k);
        csv.cell("feature_" + number).cell("observed_" + number).cell("expected_" + number);
    }
    csv.cell("missing").end_row();

    for (Index begin = 0; begin < x.cols(); begin += Model::block) {
        const Index count = std::min(Model::block, x.cols() - begin);
        const Explanation explanation = model.explain(x, begin, count);
        const Eigen::VectorXf errors =
            arguments.standard_error ? model.standard_error(x, begin, count) : Eigen::VectorXf();
        const Eigen::VectorXf spread = arguments.spread ? model.spread(x, begin, count) : Eigen::VectorXf();
        for (Index j = 0; j < explanation.scores.size(); ++j) {
            const Index row = begin + j;
            const float value = explanation.scores(j);
            csv.cell(row + 1);
            if (id != nullptr) csv.cell(id->text(row));
            csv.cell(static_cast<double>(value));
            if (arguments.standard_error) csv.cell(static_cast<double>(errors(j)));
            if (arguments.spread) csv.cell(static_cast<double>(spread(j)));
            csv.cell(static_cast<double>(model.threshold().p_value(value)));
            csv.cell(model.threshold().is_anomaly(value) ? 1 : 0);
            if (top > 0) {
                const std::vector<Blame> columns = blame(coding, explanation.contributions.col(j));
                for (std::size_t k = 0; k < top; ++k) {
                    const Index column = columns[k].column;
                    csv.cell(coding.columns()[static_cast<std::size_t>(column)].name);
                    csv.cell(coding.observed_text(column, table, row));
                    csv.cell(coding.decoded_text(column, explanation.expected.col(j)));
                }
            }
            csv.cell(missing_columns(coding, x, row)).end_row();
        }
    }
    file.commit();
    if (!model.threshold().is_calibrated()) std::fprintf(stderr, "%s\n", model.promise().c_str());
}

}  // namespace program

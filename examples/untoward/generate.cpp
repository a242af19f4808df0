// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>

#include <untoward/io/csv.hpp>

#include "commands.hpp"
#include "model.hpp"

// What the model has learned, to look at: a diagnosis, latent coordinates, reconstructions, rows of its own, and the way from
// one row to another.

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

namespace {

// A table to be read with a model, and the column that names its rows.
struct Rows {
    Model model;
    io::Table table;
    std::string id;

    Rows(const std::string& model_path, const std::string& table_path, const std::string& id_column)
        : model(Model::load(model_path)), table(read(table_path, id_column)), id(id_column) {}

    [[nodiscard]] Eigen::MatrixXf features() const { return model.coding().matrix(table); }
    void begin_header(io::CsvWriter& csv) const {
        csv.cell("row");
        if (!id.empty()) csv.cell(id);
    }
    void begin_row(io::CsvWriter& csv, Index row) const {
        csv.cell(row + 1);
        if (!id.empty()) csv.cell(table.column(id).text(row));
    }

private:
    io::Table read(const std::string& path, const std::string& id_column) const {
        std::vector<std::string> text_columns = model.coding().text_columns();
        if (!id_column.empty()) text_columns.push_back(id_column);
        return io::read_table(path, text_columns);
    }
};

// An infinite value would be taken for the largest that there is, and look like a coordinate of its own.
void require_finite(const Rows& rows, const Eigen::MatrixXf& x) {
    for (Index j = 0; j < x.cols(); ++j) {
        for (Index i = 0; i < x.rows(); ++i) {
            if (!std::isinf(x(i, j))) continue;
            const auto& coding = rows.model.coding();
            fail(rows.table.place(j), ", column ",
                 io::in_quotes(coding.columns()[static_cast<std::size_t>(coding.column_of(i))].name),
                 ": an infinite value");
        }
    }
}

void write_names(io::CsvWriter& csv, const io::TableCoding& coding) {
    for (const io::ColumnCoding& column : coding.columns()) csv.cell(column.name);
    csv.end_row();
}
void write_decoded(io::CsvWriter& csv, const io::TableCoding& coding,
                   const Eigen::Ref<const Eigen::VectorXf>& features) {
    for (std::size_t c = 0; c < coding.columns().size(); ++c)
        csv.cell(coding.decoded_text(static_cast<Index>(c), features));
    csv.end_row();
}

}  // namespace

void diagnose(const DiagnoseArguments& arguments) {
    const Rows rows(arguments.model, arguments.table, "");
    const Eigen::MatrixXf x = rows.features();
    require_finite(rows, x);
    Eigen::MatrixXf others(x.rows(), 0);
    if (!arguments.held_out.empty()) {
        const Rows held_out(arguments.model, arguments.held_out, "");
        others = held_out.features();
        require_finite(held_out, others);
    }
    for (const std::string& sentence : rows.model.diagnose(x, others, arguments.seed))
        std::printf("%s\n", sentence.c_str());
}

void latent(const LatentArguments& arguments) {
    const Rows rows(arguments.model, arguments.table, arguments.id);
    const Eigen::MatrixXf x = rows.features();
    require_finite(rows, x);
    const Eigen::MatrixXf z = rows.model.encode(x);
    io::AtomicFile file(arguments.out);
    io::CsvWriter csv(file);
    rows.begin_header(csv);
    for (Index k = 0; k < z.rows(); ++k) csv.cell("z" + std::to_string(k + 1));
    csv.end_row();
    for (Index j = 0; j < z.cols(); ++j) {
        rows.begin_row(csv, j);
        for (Index k = 0; k < z.rows(); ++k) csv.cell(static_cast<double>(z(k, j)));
        csv.end_row();
    }
    file.commit();
}

void reconstruct(const ReconstructArguments& arguments) {
    const Rows rows(arguments.model, arguments.table, arguments.id);
    const Eigen::MatrixXf x = rows.features();
    require_finite(rows, x);
    const Eigen::MatrixXf y = rows.model.reconstruct(x);
    io::AtomicFile file(arguments.out);
    io::CsvWriter csv(file);
    rows.begin_header(csv);
    write_names(csv, rows.model.coding());
    for (Index j = 0; j < y.cols(); ++j) {
        rows.begin_row(csv, j);
        write_decoded(csv, rows.model.coding(), y.col(j));
    }
    file.commit();
}

void sample(const SampleArguments& arguments) {
    const Model model = Model::load(arguments.model);
    const Eigen::MatrixXf x = model.sample(arguments.rows, arguments.seed, arguments.expected);
    io::AtomicFile file(arguments.out);
    io::CsvWriter csv(file);
    write_names(csv, model.coding());
    for (Index j = 0; j < x.cols(); ++j) write_decoded(csv, model.coding(), x.col(j));
    file.commit();
}

void interpolate(const InterpolateArguments& arguments) {
    const Rows rows(arguments.model, arguments.table, "");
    for (const long row : {arguments.from, arguments.to}) {
        if (row < 1 || row > rows.table.rows())
            fail(rows.table.name(), ": has no row ", row, ", only rows 1 to ", rows.table.rows());
    }
    const Eigen::MatrixXf x = rows.features();
    require_finite(rows, x);
    const Eigen::MatrixXf way =
        rows.model.interpolate(x.col(arguments.from - 1), x.col(arguments.to - 1), arguments.steps);
    io::AtomicFile file(arguments.out);
    io::CsvWriter csv(file);
    csv.cell("share");
    write_names(csv, rows.model.coding());
    for (Index t = 0; t < way.cols(); ++t) {
        csv.cell(static_cast<double>(t) / static_cast<double>(way.cols() - 1));
        write_decoded(csv, rows.model.coding(), way.col(t));
    }
    file.commit();
}

}  // namespace program

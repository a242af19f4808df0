// SPDX-License-Identifier: MIT
#include "untoward/core/shape.hpp"

#include "support/catch.hpp"
#include "untoward/core/arena.hpp"
#include "untoward/core/tensor.hpp"

using namespace untoward;

static_assert(std::is_empty_v<Image<3, 28, 28>>);
static_assert(Seq<3, 32>::static_size == 96);
static_assert(Seq<3>::static_size == Dynamic);
static_assert(Seq<3, Dynamic>(32) == Seq<3, 32>{});
static_assert(Seq<3, Dynamic>(3, 32) == Seq<>(3, 32));
static_assert(Seq<3, Dynamic>(32) != Seq<>(3, 31));
static_assert(Vec<3>{} != Seq<3, 1>{});
static_assert(Image<3, 4, 5>{}.channels() == 3 && Image<3, 4, 5>{}.positions() == 20);
static_assert(Vec<7>{}.positions() == 1);
static_assert(Volume<>(2, 3, 4, 5).size() == 120);
static_assert(std::is_same_v<decltype(broadcast(Vec<1>{}, Seq<2, 3>{})), Seq<2, 3>>);
static_assert(std::is_same_v<decltype(broadcast(Seq<2, 1>{}, Seq<1, 3>{})), Seq<2, 3>>);
static_assert(std::is_same_v<decltype(broadcast(Vec<>(5), Vec<5>{})), Vec<5>>);
static_assert(broadcast(Vec<>(1), Vec<>(4)).size() == 4);
static_assert(std::is_trivially_copyable_v<Tensor<const float, Vec<3>>>);

TEST_CASE("a shape erased knows its extents at run time only") {
    const auto erased = Seq<3, 32>{}.erased();
    CHECK(std::is_same_v<decltype(erased), const Seq<Dynamic, Dynamic>>);
    CHECK(erased == Seq<3, 32>{});
}

TEST_CASE("a tensor is seen as matrices of samples and of positions") {
    const float data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const Tensor<const float, Seq<2, 3>> packed(data, {}, 2);
    CHECK(packed.contiguous());
    CHECK(packed(4, 1) == 11);
    CHECK(packed.matrix()(4, 1) == 11);
    CHECK(packed.sample(1)(1, 2) == 12);
    CHECK(packed.position_matrix().cols() == 6);
    CHECK(packed.position_matrix()(0, 5) == 11);

    const Tensor<const float, Seq<2, 3>> strided(data, {}, 2, 8);
    CHECK_FALSE(strided.contiguous());
    CHECK_FALSE(strided.has_position_matrix());
    CHECK(strided(0, 1) == 9);
    CHECK(strided.sample(1)(1, 2) == 14);

    const Tensor<const float, Vec<2>> one_position(data, {}, 2, 5);
    CHECK(one_position.has_position_matrix());
    CHECK(one_position.position_matrix()(1, 1) == 7);
}

TEST_CASE("an arena gives aligned memory, keeps its peak, and takes memory back") {
    Buffer<std::byte> memory(1024);
    Arena arena(memory.data() + 1, 1000);
    const std::size_t capacity = arena.capacity();
    CHECK(capacity < 1000);
    const float* a = arena.allocate<float>(1);
    CHECK(reinterpret_cast<std::uintptr_t>(a) % storage_alignment == 0);
    const std::size_t mark = arena.used();
    const double* b = arena.allocate<double>(9);
    CHECK(arena.used() == align_up(4) + align_up(72));
    CHECK(arena.contains(b, mark));
    CHECK_FALSE(arena.contains(a, mark));
    CHECK(arena.contains(a));
    CHECK_FALSE(arena.contains(&mark));
    arena.rewind(mark);
    CHECK_FALSE(arena.contains(b));
    CHECK(arena.allocate<double>(2) == b);
    CHECK(arena.peak() == align_up(4) + align_up(72));
    arena.rewind();
    CHECK(arena.used() == 0);
}

TEST_CASE("a buffer copies deeply and moves by pointer") {
    Buffer<float> a(5);
    CHECK(a.array().isZero(0));
    a[3] = 2;
    Buffer<float> b = a;
    b[3] = 7;
    CHECK(a[3] == 2);
    const float* const data = b.data();
    Buffer<float> c = std::move(b);
    CHECK(c.data() == data);
    CHECK(c[3] == 7);
    a = c;
    CHECK(a[3] == 7);
    const Buffer<float> none(0);
    CHECK(Buffer<float>(none).size() == 0);
}

// The kernels behind untyped buffers: the only header that Cython sees.
//
// Buffers are contiguous. Elements are described by their size in bytes (`width`: 1, 2, 4 or 8) and, where order or
// arithmetic matters, by numpy's kind letter. Nothing here needs the GIL. std::bad_alloc, std::invalid_argument and
// std::length_error are thrown before anything is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fastremap/choice.hpp"
#include "fastremap/missing.hpp"

namespace fastremap::api {

// sample.hpp: what is the best way to look at an array
Choice choose(const void* labels, std::size_t width, std::size_t n_labels);

// unique.hpp
class Distinct {
   public:
    virtual ~Distinct() = default;
    // Called once. `shape` has ndim >= 1 entries; `fortran` says in which order the array lies in memory.
    virtual void add(const void* labels, const std::int64_t* shape, int ndim, bool fortran, const Choice& choice) = 0;
    virtual std::size_t size() const = 0;
    virtual void copy_labels(void* out) const = 0;  // by runs in the order in which they were first met
    virtual void copy_counts(std::int64_t* out) const = 0;
    virtual void copy_first(std::int64_t* out) const = 0;  // least C-order index
};
std::unique_ptr<Distinct> make_distinct(std::size_t width, bool with_counts, bool with_first);
// Moves the distinct labels of a sorted array to its front, and writes their counts unless that is null; returns how
// many there are.
std::size_t collapse(void* sorted, std::size_t width, std::size_t n_labels, std::int64_t* counts);

// order.hpp: labels in ascending order; and the place that each had, in 4 or 8 bytes, equal labels in the order of these
void sort(const void* labels, char kind, std::size_t width, std::size_t n_labels, void* sorted);
void sort_with_places(const void* labels, char kind, std::size_t width, std::size_t n_labels, void* sorted,
                      void* places, std::size_t place_width);

// renumber.hpp, renumber_parts.hpp
class Numbering {
   public:
    virtual ~Numbering() = default;
    virtual std::size_t run(const void* labels, std::size_t begin, std::size_t n_labels, void* out,
                            std::size_t out_width, void* also, std::uint64_t first_id, std::size_t max_labels) = 0;
    virtual std::size_t size() const = 0;
    // By number, for as long as this lives. No other call may follow.
    virtual const void* labels() = 0;
};
// n_labels is that of the array that will be numbered.
std::unique_ptr<Numbering> make_numbering(std::size_t width, std::size_t n_labels, bool keep_zero,
                                          const Choice& choice);

// remap.hpp
class Lookup {
   public:
    virtual ~Lookup() = default;
    virtual std::size_t apply(const void* labels, std::size_t n_labels, void* out, Missing missing, std::uint64_t fill,
                              Strategy strategy) const = 0;
};
std::unique_ptr<Lookup> make_lookup(const void* keys, std::size_t width, const void* values, std::size_t out_width,
                                    std::size_t n_keys, std::size_t n_labels);
void take(void* labels, std::size_t width, std::size_t n_labels, const void* values, std::size_t n_values);

// isa.hpp: the name of the instruction set in use
const char* isa();

// digest.hpp
std::uint64_t digest(const void* items, const std::ptrdiff_t* strides, const std::size_t* dims, std::size_t n_dims,
                     std::size_t item_bytes);

// measure.hpp
void minmax(const void* items, char kind, std::size_t width, std::size_t n_items, void* lowest, void* highest);
std::size_t count_nonzero(const void* items, std::size_t width, std::size_t n_items, std::uint64_t significant);

std::size_t count_equal_pairs(const void* items, std::size_t width, std::size_t n_items);
std::vector<std::int64_t> find_equal(const void* items, std::size_t width, std::size_t n_items, std::uint64_t wanted);
bool all_equal(const void* items, std::size_t width, std::size_t n_items, std::uint64_t wanted);
bool is_ordered(const void* items, char kind, std::size_t width, std::size_t n_items, bool ascending);

// relate.hpp
class Relation {
   public:
    virtual ~Relation() = default;
    // Called once; false, with nothing collected, where the arrays have to be copied to C order first.
    virtual bool add(const void* first, const void* second, const std::int64_t* shape, int ndim, bool fortran) = 0;
    virtual std::size_t size() const = 0;
    virtual void copy(void* first_out, void* second_out) const = 0;  // pairs of labels, ascending
};
// Each label of the first array and its partner that is last in C order.
std::unique_ptr<Relation> make_partners(std::size_t first_width, std::size_t second_width, char first_kind);
// All distinct pairs; their order in memory does not matter.
std::unique_ptr<Relation> make_pairs(std::size_t first_width, std::size_t second_width, char first_kind,
                                     char second_kind);

// points.hpp
class Points {
   public:
    virtual ~Points() = default;
    // A slab in C order that begins at index `first` of the first axis; `points` has room for those of all labels.
    virtual void add(const void* labels, const std::int64_t* shape, int ndim, std::int64_t first, void* points) = 0;
};
std::unique_ptr<Points> make_points(std::size_t width, const void* keys, const std::int64_t* counts, std::size_t n_keys,
                                    std::size_t coordinate_width);
void keep_surface(const void* labels, std::size_t width, const std::int64_t* shape, int ndim, void* out);

// ipt.hpp
void reverse_axes(void* items, const std::size_t* shape, std::size_t n_axes, std::size_t item_nbytes);
void copy_axes(const void* from, const std::ptrdiff_t* strides, void* to, const std::size_t* shape, std::size_t n_axes,
               std::size_t item_nbytes);
// `processor` is intel or other; empty for the one that runs.
std::string layout_plan(const std::size_t* shape, std::size_t n_axes, std::size_t item_nbytes,
                        std::size_t scratch_nbytes, const std::string& processor = {});

}  // namespace fastremap::api

// Memory: what is to be read comes near, results get their pages, and tables are zeroed and lie in huge pages.
//
// What:       prefetch and prefetch_ahead; provide, for what is written once; ZeroedArray, of fixed length, whose items
//             are all bits zero at first, and which begins at a line of the cache.
// Requires:   items for which all bits zero is a value, and which need no destructor.
// Complexity: O(n), but pages of large arrays are zeroed when they are first touched.
// Source:     own; a table of many pages spends most of a random look-up on the translation of its address, which
//             pages of 2 MiB make rare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace fastremap {

inline void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__)  // clang too
    __builtin_prefetch(address);
#endif
}

// Brings the n labels that are 16 KB after these, in the array or beyond it, into the second-level cache. A loop over
// look-ups does so for the labels that are read one or more pieces later, a line at a time, while memory would rest.
// A loop that reads in order asks prefetches_in_order() first.
template <std::size_t n, class Label>
void prefetch_ahead([[maybe_unused]] const Label* labels) {
#if defined(__GNUC__)
    constexpr std::uintptr_t ahead = std::uintptr_t{1} << 14;
    const auto begin = reinterpret_cast<std::uintptr_t>(labels) + ahead;
    for (std::size_t at = 0; at < n * sizeof(Label); at += 64)
        __builtin_prefetch(reinterpret_cast<const void*>(begin + at), 0, 2);
#endif
}

// Whether to read an array in order is faster with prefetch_ahead. On Intel's processors by a fifth, since their own
// prefetching ends with each page of 4 KB; on AMD's slower by a fifth.
inline bool prefetches_in_order() {
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_is("intel");
#else
    return false;
#endif
}

// To be called before items [from, to) of a fresh array of n are written, in order and for the first time. Linux clears a
// huge page towards the byte that is touched first, and upward takes half as long as downward: so the last byte of each
// page is touched before its first. ipt::provide does so for all of a result that is not written in order.
template <class Item>
void provide([[maybe_unused]] Item* items, [[maybe_unused]] std::size_t n, [[maybe_unused]] std::size_t from,
             [[maybe_unused]] std::size_t to) {
#if defined(__linux__)
    constexpr std::uintptr_t huge_page = std::uintptr_t{1} << 21;
    const auto begin = reinterpret_cast<std::uintptr_t>(items);
    const std::uintptr_t page = (begin + to * sizeof(Item) - 1) / huge_page;
    const bool is_entered = from > 0 && (begin + from * sizeof(Item) - 1) / huge_page == page;
    const std::uintptr_t last = (page + 1) * huge_page - 1 - begin;
    if (!is_entered && last < n * sizeof(Item)) reinterpret_cast<volatile unsigned char*>(items)[last] = 0;
#endif
}

template <class Item>
class ZeroedArray {
    static_assert(std::is_trivially_destructible_v<Item>);

   public:
    ZeroedArray() = default;
    explicit ZeroedArray(std::size_t n_items) : size_(n_items) {
        if (n_items > static_cast<std::size_t>(-1) / sizeof(Item) / 2) throw std::bad_alloc();
        if (n_items == 0) return;
#if defined(__linux__)
        if (is_mapped()) {
            void* pages = mmap(nullptr, nbytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (pages == MAP_FAILED) throw std::bad_alloc();
            madvise(pages, nbytes(), MADV_HUGEPAGE);  // a wish: without it all is right, but slower
            items_ = static_cast<Item*>(pages);
            return;
        }
#endif
        items_ = static_cast<Item*>(::operator new(nbytes(), line));  // aligned_alloc is not everywhere
        std::memset(static_cast<void*>(items_), 0, nbytes());
    }
    ZeroedArray(ZeroedArray&& other) noexcept { *this = std::move(other); }
    ZeroedArray& operator=(ZeroedArray&& other) noexcept {
        std::swap(items_, other.items_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~ZeroedArray() {
        if (items_ == nullptr) return;
#if defined(__linux__)
        if (is_mapped()) {
            munmap(items_, nbytes());
            return;
        }
#endif
        ::operator delete(items_, line);
    }

    std::size_t size() const { return size_; }
    Item& operator[](std::size_t at) { return items_[at]; }
    const Item& operator[](std::size_t at) const { return items_[at]; }
    const Item* begin() const { return items_; }
    const Item* end() const { return items_ + size_; }

   private:
    static constexpr std::align_val_t line{64};

    std::size_t nbytes() const { return size_ * sizeof(Item); }
    bool is_mapped() const { return nbytes() >= std::size_t{4} << 20; }

    Item* items_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace fastremap

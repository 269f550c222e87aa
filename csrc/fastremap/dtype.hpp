// From the run-time description of an element (kind letter and size in bytes) to a C++ type.
//
// Three classes of kernels ask for three visits. Kernels that only compare for equality and copy need the
// width alone; kernels that order or subtract need the kind as well. Both hand a value of the type to a
// generic callable, so that `decltype` of its argument is the element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace fastremap {

// The unsigned integer of a given size: the type of an element when only its bits matter.
template <std::size_t Nbytes>
using uint_of = std::conditional_t<
    Nbytes == 1, std::uint8_t,
    std::conditional_t<Nbytes == 2, std::uint16_t, std::conditional_t<Nbytes == 4, std::uint32_t, std::uint64_t>>>;

template <class Action>
decltype(auto) visit_width(std::size_t nbytes, Action&& action) {
    switch (nbytes) {
        case 1: return action(std::uint8_t{});
        case 2: return action(std::uint16_t{});
        case 4: return action(std::uint32_t{});
        case 8: return action(std::uint64_t{});
    }
    throw std::invalid_argument("no kernel for elements of " + std::to_string(nbytes) + " bytes");
}

// kind is numpy's letter: 'i' signed, 'u' unsigned (and 'b' bool), 'f' floating point (4 and 8 bytes).
template <class Action>
decltype(auto) visit_number(char kind, std::size_t nbytes, Action&& action) {
    if (kind == 'f') {
        if (nbytes == 4) return action(float{});
        if (nbytes == 8) return action(double{});
        throw std::invalid_argument("no kernel for floats of " + std::to_string(nbytes) + " bytes");
    }
    return visit_width(nbytes, [&](auto width) -> decltype(auto) {
        using Unsigned = decltype(width);
        if (kind == 'i') return action(std::make_signed_t<Unsigned>{});
        return action(Unsigned{});
    });
}

}  // namespace fastremap

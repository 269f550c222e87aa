# Measures of an array.

def minmax(cnp.ndarray items):
    """The extremes of a non-empty array, as Python numbers."""
    cdef uint64_t lowest, highest  # of any type
    cdef void* data = data_of(items)
    cdef size_t width = cnp.PyArray_ITEMSIZE(items)
    cdef size_t n_items = cnp.PyArray_SIZE(items)
    cdef char kind = items.descr.kind
    with nogil:
        c_minmax(data, kind, width, n_items, &lowest, &highest)
    return cnp.PyArray_GETITEM(items, <char*>&lowest), cnp.PyArray_GETITEM(items, <char*>&highest)


def isa():
    """The instruction set in use: scalar, avx2 or avx512."""
    return c_isa().decode()


def count_nonzero(cnp.ndarray items, uint64_t significant):
    """The number of items with a bit of `significant` set."""
    cdef void* data = data_of(items)
    cdef size_t width = cnp.PyArray_ITEMSIZE(items)
    cdef size_t n_items = cnp.PyArray_SIZE(items)
    cdef size_t n_nonzero
    with nogil:
        n_nonzero = c_count_nonzero(data, width, n_items, significant)
    return n_nonzero


def count_equal_pairs(cnp.ndarray items):
    """The number of items that equal their successor."""
    cdef void* data = data_of(items)
    cdef size_t width = cnp.PyArray_ITEMSIZE(items)
    cdef size_t n_items = cnp.PyArray_SIZE(items)
    cdef size_t n_pairs
    with nogil:
        n_pairs = c_count_equal_pairs(data, width, n_items)
    return n_pairs


def find(items, value):
    """The places of a Python integer in an array of integers that lies in C order; None if they are not such."""
    if not (PyLong_CheckExact(value) and cnp.PyArray_CheckExact(items) and cnp.PyArray_ISCARRAY_RO(items)
            and cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(items))):
        return None
    cdef uint64_t wanted = 0
    return find_equal(items, wanted) if read_integer(value, items, &wanted) else np.empty(0, np.int64)


cpdef find_equal(cnp.ndarray items, uint64_t wanted):
    """The places of the items whose bits are those of `wanted`."""
    cdef void* data = data_of(items)
    cdef size_t width = cnp.PyArray_ITEMSIZE(items)
    cdef size_t n_items = cnp.PyArray_SIZE(items)
    cdef vector[int64_t] places
    cdef cnp.ndarray out
    with nogil:
        places = c_find_equal(data, width, n_items, wanted)
    cdef cnp.npy_intp n_places = places.size()
    out = cnp.PyArray_EMPTY(1, &n_places, cnp.NPY_INT64, 0)
    if n_places:
        memcpy(data_of(out), places.data(), places.size() * sizeof(int64_t))
    return out


def all_equal(cnp.ndarray items, uint64_t wanted):
    """True if the bits of every item are those of `wanted`."""
    cdef void* data = data_of(items)
    cdef size_t width = cnp.PyArray_ITEMSIZE(items)
    cdef size_t n_items = cnp.PyArray_SIZE(items)
    cdef cbool same
    with nogil:
        same = c_all_equal(data, width, n_items, wanted)
    return same


def is_ordered(cnp.ndarray items, str kind, bint ascending):
    """True if no item is above (below) its successor."""
    cdef void* data = data_of(items)
    cdef char letter = <char>ord(kind)
    cdef size_t width = cnp.PyArray_ITEMSIZE(items)
    cdef size_t n_items = cnp.PyArray_SIZE(items)
    cdef cbool ordered
    with nogil:
        ordered = c_is_ordered(data, letter, width, n_items, ascending)
    return ordered

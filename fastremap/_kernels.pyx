# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""One def for each function of api.hpp: sizes, nogil, call. Arrays are flat, contiguous and of native byte order."""

cimport numpy as cnp
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLong, PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong, PyLong_CheckExact
from cpython.number cimport PyNumber_Index
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy
from libcpp cimport bool as cbool
from libcpp.memory cimport unique_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

import numpy as np

cnp.import_array()

cdef enum:
    few_labels = 1 << 16  # for more, to look runs up once pays

include "_api.pxi"

__version__ = fastremap_version().decode()


cdef void* data_of(cnp.ndarray array) except? NULL:
    """The buffer of an array; the one check here, since to be wrong about it would be to write into other memory."""
    if not cnp.PyArray_ISCARRAY_RO(array):
        raise ValueError("kernels need contiguous, aligned arrays of native byte order")
    return cnp.PyArray_DATA(array)


def flat_view(cnp.ndarray array):
    """A 1-D view of a contiguous, aligned, native array in the order of memory, and whether that is F order, or None."""
    cdef bint fortran = cnp.PyArray_ISFARRAY_RO(array) and not cnp.PyArray_IS_C_CONTIGUOUS(array)
    if not (fortran or cnp.PyArray_ISCARRAY_RO(array)):
        return None
    if cnp.PyArray_NDIM(array) == 1:
        return array, fortran
    return cnp.PyArray_Ravel(array, cnp.NPY_FORTRANORDER if fortran else cnp.NPY_CORDER), fortran


cdef bint are_alike(object labels, object values):
    """Whether the labels can be overwritten in place by values of their own integer dtype, without any conversion."""
    return (cnp.PyArray_CheckExact(labels) and cnp.PyArray_CheckExact(values)
            and cnp.PyArray_TYPE(labels) == cnp.PyArray_TYPE(values)
            and cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(labels))
            and (cnp.PyArray_ISCARRAY(labels) or cnp.PyArray_ISFARRAY(labels)) and cnp.PyArray_ISCARRAY_RO(values))


cdef Choice choice_for(cnp.ndarray labels):
    """The strategy for an array, from a sample of it."""
    cdef void* data = data_of(labels)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef Choice choice
    with nogil:
        choice = c_choose(data, width, n_labels)
    return choice


def strategy(cnp.ndarray labels):
    """The name of the strategy for an array: runs, dense or sort."""
    return {<int>Strategy.runs: "runs", <int>Strategy.dense: "dense", <int>Strategy.sort: "sort"}[
        <int>choice_for(labels).strategy]


def unique(cnp.ndarray labels, shape, bint fortran, bint with_counts, bint with_first, bint as_met):
    """The distinct labels, with counts and least C-order indices if asked for; `as_met`: in the order of memory."""
    cdef vector[int64_t] dims = shape
    cdef void* data = data_of(labels)
    cdef Choice choice  # by runs
    if not as_met:
        choice = choice_for(labels)
    cdef unique_ptr[CDistinct] distinct = make_distinct(cnp.PyArray_ITEMSIZE(labels), with_counts, with_first)
    cdef cnp.ndarray found, counts = None, first = None
    with nogil:
        distinct.get().add(data, dims.data(), <int>dims.size(), fortran, choice)
    found = np.empty(distinct.get().size(), dtype=labels.dtype)
    distinct.get().copy_labels(data_of(found))
    if with_counts:
        counts = np.empty(found.size, dtype=np.int64)
        distinct.get().copy_counts(<int64_t*>data_of(counts))
    if with_first:
        first = np.empty(found.size, dtype=np.int64)
        distinct.get().copy_first(<int64_t*>data_of(first))
    return found, counts, first


def collapse(cnp.ndarray ordered, bint with_counts):
    """The distinct items of a sorted array, which is overwritten, and their counts if asked for."""
    cdef void* data = data_of(ordered)
    cdef size_t width = cnp.PyArray_ITEMSIZE(ordered)
    cdef size_t n_labels = cnp.PyArray_SIZE(ordered)
    cdef size_t n_found = n_labels - count_equal_pairs(ordered)
    cdef cnp.ndarray counts = np.empty(n_found, dtype=np.int64) if with_counts else None
    cdef int64_t* count_data = <int64_t*>data_of(counts) if with_counts else NULL
    with nogil:
        n_found = c_collapse(data, width, n_labels, count_data)
    return ordered if n_found == n_labels else ordered[:n_found].copy(), counts


cdef class Numbering:
    """Ids in the order of first appearance, over any number of calls of `run`."""
    cdef unique_ptr[CNumbering] numbering
    cdef object dtype

    def __init__(self, cnp.ndarray labels, bint keep_zero):
        self.dtype = labels.dtype
        self.numbering = make_numbering(cnp.PyArray_ITEMSIZE(labels), keep_zero, choice_for(labels))

    def run(self, cnp.ndarray labels, size_t begin, cnp.ndarray out, bint also, uint64_t first_id, size_t max_labels):
        """Write ids, with `also` over the labels too, from item `begin` on until there are more than max_labels labels.

        Returns the number of items done.
        """
        cdef void* data = data_of(labels)
        cdef void* out_data = data_of(out)
        cdef size_t n_labels = cnp.PyArray_SIZE(labels)
        cdef size_t out_width = cnp.PyArray_ITEMSIZE(out)
        cdef void* labels_too = data if also else NULL
        with nogil:
            begin = self.numbering.get().run(
                data, begin, n_labels, out_data, out_width, labels_too, first_id, max_labels)
        return begin

    def labels(self):
        """The labels by number."""
        cdef cnp.ndarray found = np.empty(self.numbering.get().size(), dtype=self.dtype)
        self.numbering.get().copy_labels(data_of(found))
        return found


cdef class Lookup:
    """A table built for one pair of widths; `apply` may run in any number of threads."""
    cdef unique_ptr[CLookup] lookup

    def __init__(self, cnp.ndarray keys, cnp.ndarray values):
        cdef const void* key_data = data_of(keys)
        cdef const void* value_data = data_of(values)
        cdef size_t width = cnp.PyArray_ITEMSIZE(keys)
        cdef size_t out_width = cnp.PyArray_ITEMSIZE(values)
        cdef size_t n_keys = cnp.PyArray_SIZE(keys)
        with nogil:
            self.lookup = make_lookup(key_data, width, value_data, out_width, n_keys)

    def keep(self, cnp.ndarray labels, cnp.ndarray out):
        """Labels that are no keys stay. Both arrays have the same width."""
        self._apply(labels, data_of(out), Missing.keep, 0)

    def fill(self, cnp.ndarray labels, cnp.ndarray out, uint64_t value):
        """Labels that are no keys become the value whose lower bits are given."""
        self._apply(labels, data_of(out), Missing.fill, value)

    def strict(self, cnp.ndarray labels, cnp.ndarray out):
        """The number of items done, before the first label that is no key or a little less; `out` None: only look."""
        return self._apply(labels, NULL if out is None else data_of(out), Missing.stop, 0)

    cdef size_t _apply(self, cnp.ndarray labels, void* out, Missing missing, uint64_t fill):
        cdef void* data = data_of(labels)
        cdef size_t n_labels = cnp.PyArray_SIZE(labels)
        cdef Strategy way = choice_for(labels).strategy
        with nogil:
            n_labels = self.lookup.get().apply(data, n_labels, out, missing, fill, way)
        return n_labels


def take(labels, values):
    """Replace few labels in place by the values at their places; False, and nothing done, if the arrays are not alike."""
    if not are_alike(labels, values) or cnp.PyArray_NDIM(values) != 1 or cnp.PyArray_SIZE(labels) > few_labels:
        return False
    cdef char* data = <char*>cnp.PyArray_DATA(labels)
    cdef char* value_data = <char*>cnp.PyArray_DATA(values)
    if data < value_data + cnp.PyArray_NBYTES(values) and value_data < data + cnp.PyArray_NBYTES(labels):
        return False
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef size_t n_values = cnp.PyArray_SIZE(values)
    if cnp.PyTypeNum_ISSIGNED(cnp.PyArray_TYPE(labels)):  # negative labels are the upper half of the unsigned ones
        n_values = min(n_values, <size_t>1 << (8 * width - 1))
    with nogil:
        c_take(data, width, n_labels, value_data, n_values)
    return True


def replace(labels, keys, values):
    """Replace keys by values in place and keep other labels; False, and nothing done, if the arrays are not alike."""
    if not (are_alike(labels, keys) and are_alike(labels, values)):
        return False
    if cnp.PyArray_SIZE(keys) != cnp.PyArray_SIZE(values):
        return False
    cdef void* data = cnp.PyArray_DATA(labels)
    cdef void* key_data = cnp.PyArray_DATA(keys)
    cdef void* value_data = cnp.PyArray_DATA(values)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_labels = cnp.PyArray_SIZE(labels)
    cdef size_t n_keys = cnp.PyArray_SIZE(keys)
    with nogil:
        make_lookup(key_data, width, value_data, width, n_keys).get().apply(
            data, n_labels, data, Missing.keep, 0, c_choose(data, width, n_labels).strategy)
    return True


def integers(list items, bint unsigned):
    """The integers of a list, exactly, as int64 or uint64; OverflowError beyond that, TypeError if an item is none."""
    cdef cnp.npy_intp n_items = len(items), i = 0
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, &n_items, cnp.NPY_UINT64 if unsigned else cnp.NPY_INT64, 0)
    cdef int64_t* values = <int64_t*>data_of(out)
    for item in items:
        if i == n_items:
            break
        if not PyLong_CheckExact(item):
            item = PyNumber_Index(item)
        values[i] = <int64_t>PyLong_AsUnsignedLongLong(item) if unsigned else PyLong_AsLongLong(item)
        i += 1
    if i < n_items or n_items < len(items):
        raise RuntimeError("the list changed its length while it was read")
    return out


def as_dict(cnp.ndarray keys, cnp.ndarray values):
    """A dict of Python numbers, in the order of the keys."""
    cdef char* key = <char*>data_of(keys)
    cdef char* value = <char*>data_of(values)
    cdef cnp.npy_intp key_nbytes = cnp.PyArray_ITEMSIZE(keys), value_nbytes = cnp.PyArray_ITEMSIZE(values), i
    cdef dict out = {}
    for i in range(min(cnp.PyArray_SIZE(keys), cnp.PyArray_SIZE(values))):
        out[cnp.PyArray_GETITEM(keys, key)] = cnp.PyArray_GETITEM(values, value)
        key += key_nbytes
        value += value_nbytes
    return out


def split_rows(cnp.ndarray rows, cnp.ndarray counts):
    """Consecutive parts of a contiguous 2-D array, of so many rows each, as a list of views."""
    cdef int64_t* n_rows = <int64_t*>data_of(counts)
    cdef char* data = <char*>data_of(rows)
    cdef cnp.npy_intp dims[2]
    cdef cnp.npy_intp row_nbytes = cnp.PyArray_STRIDE(rows, 0), i
    cdef cnp.ndarray part
    cdef list parts = []
    dims[1] = cnp.PyArray_DIM(rows, 1)
    for i in range(cnp.PyArray_SIZE(counts)):
        dims[0] = n_rows[i]
        part = cnp.PyArray_SimpleNewFromData(2, dims, cnp.PyArray_TYPE(rows), data)
        cnp.set_array_base(part, rows)
        parts.append(part)
        data += n_rows[i] * row_nbytes
    return parts


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
    """The places of a Python integer in an array of integers that lies in C order; None, if that is not what they are."""
    if not (PyLong_CheckExact(value) and cnp.PyArray_CheckExact(items) and cnp.PyArray_ISCARRAY_RO(items)
            and cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(items))):
        return None
    cdef int overflow = 0, n_unused = 64 - 8 * <int>cnp.PyArray_ITEMSIZE(items)
    cdef int64_t wanted = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        return None
    cdef bint fits = wanted >= 0 and <uint64_t>wanted << n_unused >> n_unused == <uint64_t>wanted
    if cnp.PyTypeNum_ISSIGNED(cnp.PyArray_TYPE(items)):
        fits = <int64_t>(<uint64_t>wanted << n_unused) >> n_unused == wanted
    return find_equal(items, <uint64_t>wanted) if fits else np.empty(0, np.int64)


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


def last_partners(cnp.ndarray first, cnp.ndarray second, shape, bint fortran):
    """The distinct labels of `first`, and for each the label of `second` on its last voxel in C order."""
    cdef vector[int64_t] dims = shape
    cdef void* first_data = data_of(first)
    cdef void* second_data = data_of(second)
    cdef unique_ptr[CRelation] relation = make_relation(
        cnp.PyArray_ITEMSIZE(first), cnp.PyArray_ITEMSIZE(second), False)
    cdef cnp.ndarray labels, partners
    with nogil:
        relation.get().add(first_data, second_data, dims.data(), <int>dims.size(), fortran)
    labels = np.empty(relation.get().n_first(), dtype=first.dtype)
    partners = np.empty(labels.size, dtype=second.dtype)
    relation.get().copy_first(data_of(labels))
    relation.get().copy_last_partner(data_of(partners))
    return labels, partners


def label_pairs(cnp.ndarray first, cnp.ndarray second, shape, bint fortran):
    """The distinct pairs of labels that lie on one voxel, as two arrays."""
    cdef vector[int64_t] dims = shape
    cdef void* first_data = data_of(first)
    cdef void* second_data = data_of(second)
    cdef unique_ptr[CRelation] relation = make_relation(
        cnp.PyArray_ITEMSIZE(first), cnp.PyArray_ITEMSIZE(second), True)
    cdef cnp.ndarray firsts, seconds
    with nogil:
        relation.get().add(first_data, second_data, dims.data(), <int>dims.size(), fortran)
    firsts = np.empty(relation.get().n_pairs(), dtype=first.dtype)
    seconds = np.empty(firsts.size, dtype=second.dtype)
    relation.get().copy_pairs(data_of(firsts), data_of(seconds))
    return firsts, seconds


def scatter_points(cnp.ndarray labels, shape, cnp.ndarray keys, cnp.ndarray cursors, cnp.ndarray points):
    """Write the coordinates of the voxels of each key from its cursor on; the cursors move."""
    cdef vector[int64_t] dims = shape
    cdef void* data = data_of(labels)
    cdef void* key_data = data_of(keys)
    cdef int64_t* cursor_data = <int64_t*>data_of(cursors)
    cdef void* point_data = data_of(points)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    cdef size_t n_keys = cnp.PyArray_SIZE(keys)
    cdef size_t coordinate_width = cnp.PyArray_ITEMSIZE(points)
    with nogil:
        c_scatter_points(data, width, dims.data(), <int>dims.size(), key_data, n_keys, cursor_data, point_data,
                         coordinate_width)


def keep_surface(cnp.ndarray labels, shape, cnp.ndarray out):
    """Write the labels, with 0 for voxels neither on the border nor beside another label."""
    cdef vector[int64_t] dims = shape
    cdef void* data = data_of(labels)
    cdef void* out_data = data_of(out)
    cdef size_t width = cnp.PyArray_ITEMSIZE(labels)
    with nogil:
        c_keep_surface(data, width, dims.data(), <int>dims.size(), out_data)


def reverse_axes(cnp.ndarray flat, shape):
    """Reverse the axes of a C-ordered array of this shape within its buffer; the byte order does not matter."""
    cdef vector[size_t] dims = shape
    cdef size_t item_nbytes = cnp.PyArray_ITEMSIZE(flat)
    if not (cnp.PyArray_IS_C_CONTIGUOUS(flat) and cnp.PyArray_ISWRITEABLE(flat)):
        raise ValueError("rearranging needs a contiguous, writeable array")
    with nogil:
        c_reverse_axes(cnp.PyArray_DATA(flat), dims.data(), dims.size(), item_nbytes)


def copy_axes(cnp.ndarray array, cnp.ndarray out):
    """Copy an array of any strides into a C-ordered one of the same shape and item size."""
    cdef vector[size_t] dims = (<object>out).shape
    cdef size_t item_nbytes = cnp.PyArray_ITEMSIZE(out)
    if not cnp.PyArray_IS_C_CONTIGUOUS(out):
        raise ValueError("the target must be C-contiguous")
    with nogil:
        c_copy_axes(cnp.PyArray_DATA(array), cnp.PyArray_STRIDES(array), cnp.PyArray_DATA(out), dims.data(),
                    dims.size(), item_nbytes)


def copy_to_bytes(cnp.ndarray array):
    """Copy an array of any strides into a bytes object, in C order."""
    cdef vector[size_t] dims = (<object>array).shape
    cdef size_t item_nbytes = cnp.PyArray_ITEMSIZE(array)
    cdef bytes copied = PyBytes_FromStringAndSize(NULL, cnp.PyArray_NBYTES(array))
    cdef void* out = PyBytes_AS_STRING(copied)  # nobody else has the object yet, so that it may still be written
    with nogil:
        c_copy_axes(cnp.PyArray_DATA(array), cnp.PyArray_STRIDES(array), out, dims.data(), dims.size(), item_nbytes)
    return copied


def layout_plan(shape, size_t item_nbytes, size_t scratch_nbytes):
    """The passes that reverse the axes of an array, one a line, and the scratch that they take."""
    cdef vector[size_t] dims = shape
    return c_layout_plan(dims.data(), dims.size(), item_nbytes, scratch_nbytes).decode()


def digest(cnp.ndarray array):
    """A digest of an array whose items lie side by side along the last axis."""
    cdef vector[size_t] dims = (<object>array).shape
    cdef size_t item_nbytes = cnp.PyArray_ITEMSIZE(array)
    cdef void* items = cnp.PyArray_DATA(array)
    cdef cnp.npy_intp* strides = cnp.PyArray_STRIDES(array)
    cdef uint64_t whole
    with nogil:
        whole = c_digest(items, strides, dims.data(), dims.size(), item_nbytes)
    return whole

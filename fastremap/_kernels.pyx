# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""One def for each function of api.hpp: sizes, nogil, call. Arrays are flat, contiguous and of native byte order."""

cimport numpy as cnp
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLong, PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong, PyLong_CheckExact
from cpython.number cimport PyNumber_Index
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy
from libcpp cimport bool as cbool
from libcpp.memory cimport unique_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

import numpy as np

cnp.import_array()

cdef extern from *:  # Cython's own, which is that of Python where this has one: a dict that need not grow
    dict roomy_dict "__Pyx_PyDict_NewPresized"(Py_ssize_t n_entries)

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
    """A 1-D view of a contiguous, aligned, native array in memory order, and whether that is F order; else None."""
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


cdef bint read_integer(object item, cnp.ndarray like, uint64_t* bits) except -1:
    """Read a Python integer as the bits that it has in an integer array; False if that cannot hold it."""
    cdef int overflow = 0, n_unused = 64 - 8 * <int>cnp.PyArray_ITEMSIZE(like)
    cdef bint is_signed = cnp.PyTypeNum_ISSIGNED(cnp.PyArray_TYPE(like))
    cdef int64_t number = PyLong_AsLongLongAndOverflow(item, &overflow)
    if overflow:
        if overflow < 0 or is_signed or n_unused:
            return False
        try:
            bits[0] = PyLong_AsUnsignedLongLong(item)
        except OverflowError:
            return False
        return True
    bits[0] = <uint64_t>number
    if is_signed:
        return <int64_t>(bits[0] << n_unused) >> n_unused == number
    return number >= 0 and bits[0] << n_unused >> n_unused == bits[0]


def read_integers(list items, cnp.ndarray out):
    """Read Python integers into an integer array of as many; False, unless all are such and it can hold them."""
    cdef char* place = <char*>data_of(out)
    cdef int width = <int>cnp.PyArray_ITEMSIZE(out)
    cdef cnp.npy_intp n_left = cnp.PyArray_SIZE(out)
    cdef uint64_t bits = 0
    for item in items:
        if n_left == 0 or not PyLong_CheckExact(item) or not read_integer(item, out, &bits):
            return False
        if width == 8:
            (<uint64_t*>place)[0] = bits
        elif width == 4:
            (<uint32_t*>place)[0] = <uint32_t>bits
        elif width == 2:
            (<uint16_t*>place)[0] = <uint16_t>bits
        else:
            (<uint8_t*>place)[0] = <uint8_t>bits
        place += width
        n_left -= 1
    return n_left == 0


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
    """A dict of Python numbers, in the order of the keys. A value that equals its key or its forerunner is that object."""
    cdef char* key = <char*>data_of(keys)
    cdef char* value = <char*>data_of(values)
    cdef cnp.npy_intp key_nbytes = cnp.PyArray_ITEMSIZE(keys), value_nbytes = cnp.PyArray_ITEMSIZE(values), i
    cdef cnp.npy_intp n_entries = min(cnp.PyArray_SIZE(keys), cnp.PyArray_SIZE(values))
    cdef bint same_type = cnp.PyArray_TYPE(keys) == cnp.PyArray_TYPE(values)
    cdef dict out = roomy_dict(n_entries)
    cdef object old, new = None
    for i in range(n_entries):
        old = cnp.PyArray_GETITEM(keys, key)
        if same_type and memcmp(key, value, key_nbytes) == 0:
            new = old
        elif i == 0 or memcmp(value, value - value_nbytes, value_nbytes) != 0:
            new = cnp.PyArray_GETITEM(values, value)
        out[old] = new
        key += key_nbytes
        value += value_nbytes
    return out


def as_lists(cnp.ndarray keys, cnp.ndarray values):
    """A dict from Python numbers to lists of the values beside them. Equal keys follow each other."""
    cdef char* key = <char*>data_of(keys)
    cdef char* value = <char*>data_of(values)
    cdef cnp.npy_intp key_nbytes = cnp.PyArray_ITEMSIZE(keys), value_nbytes = cnp.PyArray_ITEMSIZE(values), i
    cdef dict out = {}
    cdef list of_key = []
    for i in range(min(cnp.PyArray_SIZE(keys), cnp.PyArray_SIZE(values))):
        if i == 0 or memcmp(key, key - key_nbytes, key_nbytes) != 0:
            of_key = []
            out[cnp.PyArray_GETITEM(keys, key)] = of_key
        of_key.append(cnp.PyArray_GETITEM(values, value))
        key += key_nbytes
        value += value_nbytes
    return out


include "_labels.pxi"
include "_measures.pxi"
include "_places.pxi"
include "_layout.pxi"

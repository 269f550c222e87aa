# Memory order, and digests.

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


def layout_plan(shape, size_t item_nbytes, size_t scratch_nbytes, str processor=""):
    """The passes that reverse the axes of an array, one a line, and the scratch that they take.

    `processor` is "intel" or "other"; empty for the one that runs.
    """
    cdef vector[size_t] dims = shape
    return c_layout_plan(dims.data(), dims.size(), item_nbytes, scratch_nbytes, processor.encode()).decode()


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

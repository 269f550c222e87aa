# What the kernels look like from Python: csrc/api.hpp in Cython's words.

cdef extern from *:
    """
    #define FASTREMAP_STRING_(x) #x
    #define FASTREMAP_STRING(x) FASTREMAP_STRING_(x)
    static const char* fastremap_version() { return FASTREMAP_STRING(FASTREMAP_VERSION); }
    """
    const char* fastremap_version()

cdef extern from "api.hpp" namespace "fastremap" nogil:
    cdef enum class Missing:
        keep
        fill
        stop

    cdef enum class Strategy:
        runs
        dense
        sort

    cdef cppclass Choice:
        Strategy strategy
        uint64_t lowest
        uint64_t n_keys

cdef extern from "api.hpp" namespace "fastremap::api" nogil:
    Choice c_choose "fastremap::api::choose"(const void*, size_t, size_t) except +
    void c_sort "fastremap::api::sort"(const void*, char, size_t, size_t, void*) except +
    void c_sort_with_places "fastremap::api::sort_with_places"(
        const void*, char, size_t, size_t, void*, void*, size_t) except +
    size_t c_collapse "fastremap::api::collapse"(void*, size_t, size_t, int64_t*) except +

    cdef cppclass CDistinct "fastremap::api::Distinct":
        void add(const void*, const int64_t*, int, cbool, const Choice&) except +
        size_t size()
        void copy_labels(void*)
        void copy_counts(int64_t*)
        void copy_first(int64_t*)
    unique_ptr[CDistinct] make_distinct(size_t, cbool, cbool) except +

    cdef cppclass CNumbering "fastremap::api::Numbering":
        size_t run(const void*, size_t, size_t, void*, size_t, void*, uint64_t, size_t) except +
        size_t size()
        const void* labels() except +
    unique_ptr[CNumbering] make_numbering(size_t, size_t, cbool, const Choice&) except +

    cdef cppclass CLookup "fastremap::api::Lookup":
        size_t apply(const void*, size_t, void*, Missing, uint64_t, Strategy) except +
    unique_ptr[CLookup] make_lookup(const void*, size_t, const void*, size_t, size_t, size_t) except +
    void c_take "fastremap::api::take"(void*, size_t, size_t, const void*, size_t) except +

    void c_minmax "fastremap::api::minmax"(const void*, char, size_t, size_t, void*, void*) except +
    size_t c_count_equal_pairs "fastremap::api::count_equal_pairs"(const void*, size_t, size_t) except +
    vector[int64_t] c_find_equal "fastremap::api::find_equal"(const void*, size_t, size_t, uint64_t) except +
    cbool c_all_equal "fastremap::api::all_equal"(const void*, size_t, size_t, uint64_t) except +
    cbool c_is_ordered "fastremap::api::is_ordered"(const void*, char, size_t, size_t, cbool) except +

    cdef cppclass CRelation "fastremap::api::Relation":
        cbool add(const void*, const void*, const int64_t*, int, cbool) except +
        size_t size()
        void copy(void*, void*)
    unique_ptr[CRelation] make_partners(size_t, size_t, char) except +
    unique_ptr[CRelation] make_pairs(size_t, size_t, char, char) except +

    cdef cppclass CPoints "fastremap::api::Points":
        void add(const void*, const int64_t*, int, int64_t, void*) except +
    unique_ptr[CPoints] make_points(size_t, const void*, const int64_t*, size_t, size_t) except +
    void c_keep_surface "fastremap::api::keep_surface"(const void*, size_t, const int64_t*, int, void*) except +

    const char* c_isa "fastremap::api::isa"() except +
    size_t c_count_nonzero "fastremap::api::count_nonzero"(const void*, size_t, size_t, uint64_t) except +
    void c_reverse_axes "fastremap::api::reverse_axes"(void*, const size_t*, size_t, size_t) except +
    void c_copy_axes "fastremap::api::copy_axes"(
        const void*, const cnp.npy_intp*, void*, const size_t*, size_t, size_t) except +
    uint64_t c_digest "fastremap::api::digest"(
        const void*, const cnp.npy_intp*, const size_t*, size_t, size_t) except +
    string c_layout_plan "fastremap::api::layout_plan"(const size_t*, size_t, size_t, size_t, const string&) except +

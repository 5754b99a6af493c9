# The three kinds of target. Include paths start at the repository root: "core/token/token_source.h".
include(CMakeParseArguments)

# vv_add_library(name [STATIC] SOURCES … PUBLIC … PRIVATE …): PUBLIC and PRIVATE are what it links.
function(vv_add_library name)
  cmake_parse_arguments(arg "STATIC" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(kind STATIC)
  if(VV_SHARED_LIBRARIES AND NOT arg_STATIC)
    set(kind SHARED)
  endif()
  add_library(${name} ${kind} ${arg_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} vv_warnings)
  set_property(GLOBAL APPEND PROPERTY VV_LAYER_TARGETS ${name})
endfunction()

# What users run: `ninja programs` builds these and no tests.
add_custom_target(programs)

# vv_add_executable(name SOURCES … LINK …): one of the programs.
function(vv_add_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LINK} vv_warnings ${VV_KEEP_MODULES})
  add_dependencies(programs ${name})
endfunction()

# vv_add_bench(name SOURCES … LINK …): a measurement, vivavoce-bench-<name>; ./dev bench <name> runs it. It is built with the tests, so that
# it keeps compiling.
function(vv_add_bench name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(vivavoce-bench-${name} ${arg_SOURCES})
  target_include_directories(vivavoce-bench-${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(vivavoce-bench-${name} PRIVATE ${arg_LINK} vv_warnings)
endfunction()

# The tests of what has no Qt in it: all that ThreadSanitizer is asked to look at.
add_custom_target(qt-free-tests)

# vv_add_test(name SOURCES … LINK … [LABELS …] [TIMEOUT s] [CONFIGURATIONS …] [ENVIRONMENT …]): one Qt Test program, run by CTest.
# A source file test_x.cpp holds the class and ends with #include "test_x.moc".
function(vv_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS;CONFIGURATIONS;ENVIRONMENT" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES AUTOMOC ON AUTOMOC_MOC_OPTIONS "--include;${PROJECT_SOURCE_DIR}/cmake/moc_prelude.h" RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LINK} Qt6::Test vv_warnings ${VV_KEEP_MODULES})
  if(NOT MSVC)
    # What only tests has nothing to gain from being optimised, and is half of what there is to compile.
    target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  endif()
  if("qt-free" IN_LIST arg_LABELS)
    add_dependencies(qt-free-tests ${name})
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(VV_SANITIZE STREQUAL thread)
    # What only computes takes it ten times as long.
    math(EXPR arg_TIMEOUT "5 * ${arg_TIMEOUT}")
  endif()
  set(configurations "")
  if(arg_CONFIGURATIONS)
    set(configurations CONFIGURATIONS ${arg_CONFIGURATIONS})
  endif()
  add_test(NAME ${name} COMMAND ${name} ${configurations})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
    ENVIRONMENT "QT_QPA_PLATFORM=offscreen;VV_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};VV_SOURCE_DIR=${PROJECT_SOURCE_DIR};LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0;${arg_ENVIRONMENT}")
endfunction()

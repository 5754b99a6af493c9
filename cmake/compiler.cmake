# Language level, warnings, fast rebuilds.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT VV_SHARED_LIBRARIES)
  set(CMAKE_CXX_VISIBILITY_PRESET hidden)
  set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
endif()

find_program(VV_CCACHE ccache)
if(VV_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${VV_CCACHE}")
endif()

# The linker is most of a rebuild with many test programs, and what it writes of names for the debugger most of the disk:
# compressed, a build takes less than half. zlib, because the sanitizers of GCC 12 read nothing newer.
find_program(VV_MOLD mold)
if(VV_MOLD AND UNIX AND NOT APPLE AND (NOT VV_SANITIZE OR CMAKE_CXX_COMPILER_ID STREQUAL "GNU"))
  add_link_options(-fuse-ld=mold -Wl,--compress-debug-sections=zlib)
endif()

add_library(vv_warnings INTERFACE)
if(MSVC)
  target_compile_options(vv_warnings INTERFACE /W4 /permissive- $<$<BOOL:${VV_WARNINGS_AS_ERRORS}>:/WX>)
else()
  target_compile_options(vv_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wold-style-cast -Wundef
    $<$<BOOL:${VV_WARNINGS_AS_ERRORS}>:-Werror>)
  # GCC 12 takes the frames of coroutines for mismatched, and under sanitizers optional members for uninitialised.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(vv_warnings INTERFACE -Wno-mismatched-new-delete)
    # Optimised, it warns of lengths that std::string's own code can never have.
    target_compile_options(vv_warnings INTERFACE $<$<CONFIG:Release>:-Wno-restrict> $<$<CONFIG:Release>:-Wno-stringop-overflow>
      $<$<CONFIG:Release>:-Wno-array-bounds>)
    if(VV_SANITIZE)
      target_compile_options(vv_warnings INTERFACE -Wno-maybe-uninitialized)
    endif()
  endif()
endif()

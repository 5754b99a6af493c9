# Release builds carry what the platform offers against memory errors.
if(NOT MSVC AND NOT VV_SANITIZE)
  add_compile_options(
    $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>
    $<$<CONFIG:Release,RelWithDebInfo>:-D_GLIBCXX_ASSERTIONS>
    $<$<CONFIG:Release,RelWithDebInfo>:-fstack-protector-strong> $<$<CONFIG:Release,RelWithDebInfo>:-fstack-clash-protection>)
  if(UNIX AND NOT APPLE)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
      add_compile_options($<$<CONFIG:Release,RelWithDebInfo>:-fcf-protection>)
    endif()
    add_link_options($<$<CONFIG:Release,RelWithDebInfo>:LINKER:-z,relro,-z,now,-z,noexecstack>)
  endif()
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES CXX)
endif()

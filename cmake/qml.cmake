# vv_add_qml_module(name URI … [QML …] [SOURCES …] [ICONS …] [DEPENDS URI…] PUBLIC …): a static library that is a QML module too.
# Its QML lies at qrc:/qt/qml/<URI>/, its type descriptions (qmllint, editors) at ${QT_QML_OUTPUT_DIRECTORY}.
set(QT_QML_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/qml")

function(vv_add_qml_module name)
  cmake_parse_arguments(arg "" "URI" "QML;SOURCES;ICONS;DEPENDS;PUBLIC" ${ARGN})
  foreach(icon IN LISTS arg_ICONS)
    set(file "${PROJECT_SOURCE_DIR}/resources/icons/${icon}.svg")
    set_source_files_properties("${file}" PROPERTIES QT_RESOURCE_ALIAS "icons/${icon}.svg")
    list(APPEND icons "${file}")
  endforeach()
  # One target for library and plugin: whoever links it has its types, without a macro.
  qt_add_qml_module(${name} STATIC URI ${arg_URI} VERSION 1.0 RESOURCE_PREFIX /qt/qml PLUGIN_TARGET ${name}
    DEPENDENCIES QtQuick ${arg_DEPENDS} QML_FILES ${arg_QML} SOURCES ${arg_SOURCES} RESOURCES ${icons})
  set_target_properties(${name} PROPERTIES AUTOMOC ON)
  set_property(TARGET ${name} APPEND PROPERTY AUTOMOC_MOC_OPTIONS --include "${PROJECT_SOURCE_DIR}/cmake/moc_prelude.h")
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}" PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE vv_warnings)
  set_property(GLOBAL APPEND PROPERTY VV_LAYER_TARGETS ${name})
  # What Qt's compiler writes shadows its own names.
  get_target_property(sources ${name} SOURCES)
  list(FILTER sources INCLUDE REGEX "/\\.rcc/.*\\.cpp$|_qmltyperegistrations\\.cpp$")
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "$<IF:$<CXX_COMPILER_ID:MSVC>,/w,-w>" SKIP_LINTING ON)
endfunction()

"""What publishes the course: rules and pace of notebooks, exercises, the glossary, the picture.

`radixlab.lesson.build` is the command for notebooks. Lessons themselves import nothing here.
"""

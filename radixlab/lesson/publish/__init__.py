"""What publishes a notebook: its rules and its pace, and the exercise made from a solution.

`radixlab.lesson.build` is the command. Lessons themselves import nothing here.
"""
